#include "transport.hpp"

CHIMERA_TRANSPORT_PLUGIN("h2", "0.1.0", "HTTP/2 on a non-blocking socket: all sessions of a worker over one connection",
                         chimera::h2::transport);
