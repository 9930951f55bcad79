# The majority of the votes that came decides, not of the members, once half have voted.
s/const std::uint32_t enough = group_.enough(p.level),/const std::uint32_t enough = p.votes.size() * 2 < group_.members.size() ? group_.enough(p.level) : std::uint32_t(p.votes.size() \/ 2 + 1),/
