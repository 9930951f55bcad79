# A second endpoint takes the place of the first.
s/if (!room_->endpoints.emplace(group_.self, this).second) throw .*;/room_->endpoints[group_.self] = this;/
