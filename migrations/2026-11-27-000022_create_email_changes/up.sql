-- Another e-mail address that a person wants, until the person shows that mail to it arrives. One per person: the newest counts.
create table bulkhead.email_changes (
    tenant_id  uuid        not null,
    user_id    uuid        not null,
    email      text        not null constraint email_changes_email_check check (length(email) between 3 and 254),
    token_hash bytea       not null constraint email_changes_token_hash_check check (length(token_hash) = 32),
    expires_at timestamptz not null,
    constraint email_changes_pkey primary key (tenant_id, user_id),
    constraint email_changes_user_fk foreign key (tenant_id, user_id)
        references bulkhead.users (tenant_id, id) on delete cascade
);
call bulkhead.protect_for_auth('bulkhead.email_changes', array['email', 'token_hash', 'expires_at']);
