// [internal] What the hub's side of a connection tells the listener, from inside the connection's calls.
#pragma once

#include "quic/protocol.hpp"

namespace chimera::quic {

class connection_owner {
  public:
    /// The handshake is complete and peer_name() known. Before any bytes.
    virtual void on_open() noexcept = 0;
    /// Datagrams to this id are the connection's. false: no memory.
    virtual bool on_own_id(const connection_id& id) noexcept = 0;
    virtual void on_own_id_retired(const connection_id& id) noexcept = 0;

  protected:
    ~connection_owner() = default;
};

} // namespace chimera::quic
