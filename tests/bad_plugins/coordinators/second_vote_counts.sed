# A member may vote again.
s/ || p.votes.count(group_.self) != 0)/)/
