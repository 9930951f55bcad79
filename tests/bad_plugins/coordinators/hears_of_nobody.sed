# Nobody is told who joins.
/other->add_event({CHM_EVENT_UP/d
