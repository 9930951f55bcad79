# Messages may be of any length.
/the message is longer than max_message/d
