-- Messages from providers: kept as they came, once each, with what became of them.
set local lock_timeout = '2s';
set local statement_timeout = '60s';

create schema if not exists intake;

create table if not exists intake.message (
    id                 uuid primary key,
    sequence           bigint generated always as identity unique,
    provider           text not null,
    is_test            boolean not null,
    provider_event_id  text not null
                       constraint event_id_length check (length(provider_event_id) between 1 and 255),
    topic              text not null constraint topic_length check (length(topic) between 1 and 255),
    payment_ref        text,
    our_ref            uuid,
    is_signature_valid boolean not null
                       constraint only_verified_messages_are_kept check (is_signature_valid),
    headers            jsonb not null,
    payload            bytea not null constraint payload_size check (length(payload) <= 1048576),
    happened_at        timestamptz not null,
    received_at        timestamptz not null,
    state              text not null default 'received'
                       constraint known_state check (state in ('received', 'parked', 'processed', 'failed')),
    moved_at           timestamptz not null,
    tries              integer not null default 0,
    next_try_at        timestamptz not null,
    claimed_until      timestamptz,
    outcome            text,
    trouble            text,
    processed_at       timestamptz,
    constraint each_event_of_a_provider_once unique (provider, is_test, provider_event_id),
    constraint processed_when_it_says_so check (
        (state = 'processed') = (processed_at is not null)
        and (state = 'processed') = (outcome is not null)),
    constraint set_aside_with_a_reason check (state not in ('parked', 'failed') or trouble is not null)
);
create index if not exists message_waiting on intake.message (next_try_at)
    where state in ('received', 'parked');
create index if not exists message_set_aside on intake.message (id) where state = 'failed';
create index if not exists message_about_payment on intake.message (payment_ref, provider)
    where payment_ref is not null;

create or replace trigger message_stays_as_it_came
    before update of id, provider, is_test, provider_event_id, topic, payment_ref, our_ref,
                     is_signature_valid, headers, payload, happened_at, received_at
    or delete on intake.message
    for each row execute function plumbing.refuse_change();

create table if not exists intake.message_move (
    before text not null,
    after  text not null,
    primary key (before, after)
);
insert into intake.message_move (before, after)
values ('received', 'processed'),
       ('received', 'parked'),
       ('received', 'failed'),
       ('parked', 'processed'),
       ('parked', 'failed'),
       ('failed', 'received')
on conflict do nothing;

create or replace function intake.refuse_illegal_move() returns trigger language plpgsql as $$
begin
    if not exists (
        select from intake.message_move where before = old.state and after = new.state
    ) then
        raise exception 'a % message cannot become %', old.state, new.state
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;
create or replace trigger message_moves_along_its_table
    before update of state on intake.message
    for each row when (old.state is distinct from new.state)
    execute function intake.refuse_illegal_move();

create table if not exists intake.message_history (
    position   bigint generated always as identity primary key,
    message_id uuid not null references intake.message (id),
    before     text not null,
    after      text not null,
    moved_at   timestamptz not null,
    because    text
);
create index if not exists message_history_of on intake.message_history (message_id, position);

create or replace trigger message_history_is_append_only
    before update or delete on intake.message_history
    for each row execute function plumbing.refuse_change();

create or replace function intake.note_moves() returns trigger language plpgsql as $$
begin
    insert into intake.message_history (message_id, before, after, moved_at, because)
    select new_row.id, old_row.state, new_row.state, new_row.moved_at,
           coalesce(new_row.outcome, new_row.trouble)
      from old_rows as old_row
      join new_rows as new_row using (id)
     where old_row.state <> new_row.state;
    return null;
end
$$;
create or replace trigger message_moves_are_noted
    after update on intake.message
    referencing old table as old_rows new table as new_rows
    for each statement execute function intake.note_moves();
