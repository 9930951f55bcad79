# Members wait for messages after the hub has closed.
s/return ended_ ? poll_result::end : wait(what, w);/return wait(what, w);/
