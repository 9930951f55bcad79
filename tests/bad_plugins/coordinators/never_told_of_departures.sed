# Nobody is told that a member has left.
/other->add_event({CHM_EVENT_DOWN/d
