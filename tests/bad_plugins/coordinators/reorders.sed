# A second message overtakes the first.
s/r->messages_.push_back(\(.*\));/r->messages_.insert(r->messages_.size() == 1 ? r->messages_.begin() : r->messages_.end(), message\1);/
