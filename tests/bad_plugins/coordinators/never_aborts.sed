# A proposal without enough votes stays open.
s/deciding_.poll(known(number).ends_ns, w)/deciding_.poll(UINT64_MAX, w)/;s/sdk::now_ns() >= found->second.ends_ns/false/
