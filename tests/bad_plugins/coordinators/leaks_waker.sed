# The waker of a poll is kept after close.
s/^        for (sdk::waker& w : wakers_) w = {};/        for (sdk::waker\& w : wakers_) static_cast<void>(w.release());/
