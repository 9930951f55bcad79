# The clocks of the endpoints differ by a second.
s/offset_ns = 0;/offset_ns = 1000000000;/
