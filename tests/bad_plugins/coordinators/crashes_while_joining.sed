# A member that closes before it was let in takes its leave of nobody, and crashes.
s/room_->endpoints.erase(group_.self);/if (!in_) __builtin_trap();\n        &/
