# Who has closed is woken when something happens in the group.
/^ *for (sdk::waker& w : wakers_) w = {};/d
s/^    delete this;/    for (sdk::waker\& w : wakers_)\n        if (w) room_->woken.push_back(std::move(w));\n&/
