# Who closes is woken by it.
s/^        for (sdk::waker& w : wakers_) w = {};/        for (sdk::waker\& w : wakers_) if (w) room_->woken.push_back(std::move(w));/
