-- Whoever asks to register makes a row without proving anything. What nobody accepted goes when the next one asks.
grant delete on bulkhead.invitations to bulkhead_auth;
