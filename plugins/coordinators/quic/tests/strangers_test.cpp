#include "simulated_network.hpp"
