# Every tenth message arrives twice.
s/^        r->messages_.push_back(\(.*\));/&\n        if (seq % 10 == 0) r->messages_.push_back(\1);/
