# A member that has voted no takes an approval for a rejection.
s/out.outcome = shown_.outcome;/&\n    if (shown_.votes.count(group_.self) != 0 \&\& !shown_.votes[group_.self]) out.outcome = CHM_REJECTED;/
