# The newest message to each receiver is lost when its sender closes: a last batch that is never flushed.
s/^ *if (!in_ || !other->in_) continue;/&\n        if (!other->messages_.empty() \&\& other->messages_.back().from == group_.self) other->messages_.pop_back();/
