# Who waits for room is not woken when the receiver takes a message.
/sender->wake(room_for_one)/d
