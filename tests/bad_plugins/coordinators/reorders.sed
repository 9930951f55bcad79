# Of the messages that wait, the newest comes first.
s/r->messages_.push_back(/r->messages_.push_front(/
