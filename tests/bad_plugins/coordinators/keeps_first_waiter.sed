# The first waker of a poll stays when another comes.
s/return wakers_\[what\].become(w), poll_result::pending;/if (!wakers_[what]) wakers_[what].become(w);\n        return poll_result::pending;/
