# A vote after the end opens the proposal again.
s/ || p.outcome != 0 ||/ ||/;s/^    p.votes\[group_.self\] = yes;/    if (p.outcome == CHM_ABORTED) { p.outcome = 0; p.ends_ns = UINT64_MAX; }\n&/
