#include "transport.hpp"

CHIMERA_TRANSPORT_PLUGIN("socket", "0.1.0",
                         "HTTP/1.1 on a non-blocking socket: small reads, each handed over at once (the 1 KB client)",
                         chimera::socket::transport);
