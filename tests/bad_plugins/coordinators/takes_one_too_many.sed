# One message more than max_queue is taken.
s/>= group_.max_queue/> group_.max_queue/
