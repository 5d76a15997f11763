-- Payments, their attempts at providers, their refunds, and their history.
set local lock_timeout = '2s';
set local statement_timeout = '60s';

create schema if not exists payments;

create table if not exists payments.payment_move (
    before text not null,
    after  text not null,
    primary key (before, after)
);
insert into payments.payment_move (before, after) values
    ('processing', 'authorized'),
    ('processing', 'captured'),
    ('processing', 'declined'),
    ('processing', 'failed'),
    ('authorized', 'partially_captured'),
    ('authorized', 'captured'),
    ('authorized', 'reversed'),
    ('partially_captured', 'partially_refunded'),
    ('partially_captured', 'refunded'),
    ('captured', 'partially_refunded'),
    ('captured', 'refunded'),
    ('partially_refunded', 'refunded')
on conflict do nothing;

create table if not exists payments.attempt_move (
    before text not null,
    after  text not null,
    primary key (before, after)
);
insert into payments.attempt_move (before, after) values
    ('asked', 'succeeded'),
    ('asked', 'declined'),
    ('asked', 'failed'),
    ('failed', 'overtaken')
on conflict do nothing;

create table if not exists payments.refund_move (
    before text not null,
    after  text not null,
    primary key (before, after)
);
insert into payments.refund_move (before, after) values
    ('pending', 'succeeded'),
    ('pending', 'failed')
on conflict do nothing;

create table if not exists payments.payment (
    id               uuid primary key,
    is_test          boolean not null,
    merchant_id      uuid not null,
    reseller_id      uuid,
    state            text not null,
    amount_minor     bigint not null
                     constraint amount_in_bounds check (amount_minor between 1 and 1000000000000000),
    currency         text not null constraint currency_is_iso_4217 check (currency ~ '^[A-Z]{3}$'),
    capture_method   text not null
                     constraint known_capture_method check (capture_method in ('automatic', 'manual')),
    authorized_minor bigint not null default 0,
    captured_minor   bigint not null default 0,
    refunded_minor   bigint not null default 0,
    method_type      text not null,
    method_brand     text,
    method_last4     text,
    provider         text not null,
    provider_ref     text,
    decline_reason   text,
    decline_advice   text,
    decline_raw      text,
    reference        text,
    description      text,
    metadata         jsonb not null default '{}',
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    version          integer not null default 1,
    unique (id, is_test),
    constraint authorized_within_amount check (authorized_minor between 0 and amount_minor),
    constraint captured_within_authorized check (captured_minor between 0 and authorized_minor),
    constraint refunded_within_captured check (refunded_minor between 0 and captured_minor),
    constraint declined_has_a_reason check ((state = 'declined') = (decline_reason is not null)),
    constraint amounts_fit_the_state check (
        case state
            when 'processing' then authorized_minor = 0
            when 'declined' then authorized_minor = 0
            when 'failed' then authorized_minor = 0
            when 'authorized' then authorized_minor > 0 and captured_minor = 0
            when 'reversed' then authorized_minor > 0 and captured_minor = 0
            when 'partially_captured'
                then captured_minor between 1 and authorized_minor - 1 and refunded_minor = 0
            when 'captured' then captured_minor = authorized_minor and refunded_minor = 0
            when 'partially_refunded' then refunded_minor between 1 and captured_minor - 1
            when 'refunded' then refunded_minor = captured_minor and captured_minor > 0
            else false
        end)
);
create index if not exists payment_by_merchant on payments.payment (merchant_id, is_test, id);
create index if not exists payment_by_state on payments.payment (state, id);
create index if not exists payment_by_reference on payments.payment (merchant_id, reference)
    where reference is not null;

create table if not exists payments.refund (
    id           uuid primary key,
    is_test      boolean not null,
    payment_id   uuid not null,
    merchant_id  uuid not null,
    reseller_id  uuid,
    state        text not null,
    amount_minor bigint not null constraint refunds_are_positive check (amount_minor > 0),
    currency     text not null,
    reason       text,
    provider_ref text,
    failure      text,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    foreign key (payment_id, is_test) references payments.payment (id, is_test)
);
create index if not exists refund_by_payment on payments.refund (payment_id);

create table if not exists payments.attempt (
    id            uuid primary key,
    is_test       boolean not null,
    payment_id    uuid not null,
    refund_id     uuid references payments.refund (id),
    undoes_id     uuid references payments.attempt (id),
    operation     text not null constraint known_operation
                  check (operation in ('authorize', 'sale', 'capture', 'void', 'refund')),
    state         text not null,
    amount_minor  bigint not null constraint amounts_are_positive check (amount_minor > 0),
    currency      text not null,
    provider      text not null,
    payment_ref   text,
    provider_ref  text,
    verdict       text,
    detail        text,
    asked_at      timestamptz not null,
    asked_count   integer not null default 0,
    resolve_at    timestamptz,
    concluded_at  timestamptz,
    foreign key (payment_id, is_test) references payments.payment (id, is_test),
    constraint open_ones_are_due check ((state = 'asked') = (resolve_at is not null)),
    constraint refunds_name_theirs
        check ((operation = 'refund' and undoes_id is null) = (refund_id is not null))
);
create index if not exists attempt_by_payment on payments.attempt (payment_id);
create index if not exists attempt_due on payments.attempt (resolve_at) where state = 'asked';
create unique index if not exists one_operation_at_a_time on payments.attempt (payment_id)
    where state = 'asked' and operation <> 'refund' and undoes_id is null;
create unique index if not exists undone_once on payments.attempt (undoes_id)
    where undoes_id is not null;
create index if not exists attempt_by_payment_ref on payments.attempt (provider, payment_ref)
    where payment_ref is not null;

create table if not exists payments.history (
    position    bigint generated always as identity primary key,
    payment_id  uuid not null,
    attempt_id  uuid,
    what        text not null,
    facts       jsonb not null,
    happened_at timestamptz not null
);
create index if not exists history_by_payment on payments.history (payment_id, position);

create or replace trigger history_is_append_only
    before update or delete on payments.history
    for each row execute function plumbing.refuse_change();
create or replace trigger history_is_never_truncated
    before truncate on payments.history
    for each statement execute function plumbing.refuse_change();

create or replace function payments.guard_payment() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'processing' then
            raise exception 'a payment begins as processing, not %', new.state
                using errcode = 'integrity_constraint_violation';
        end if;
        return new;
    end if;
    if new.state <> old.state and not exists (
        select from payments.payment_move where before = old.state and after = new.state) then
        raise exception 'a % payment cannot become %', old.state, new.state
            using errcode = 'integrity_constraint_violation';
    end if;
    if new.authorized_minor < old.authorized_minor or new.captured_minor < old.captured_minor
       or new.refunded_minor < old.refunded_minor
       or (new.id, new.is_test, new.merchant_id, new.amount_minor, new.currency)
          is distinct from (old.id, old.is_test, old.merchant_id, old.amount_minor, old.currency)
    then
        raise exception 'the facts of payment % may not be taken back', old.id
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;
create or replace trigger payment_keeps_its_moves before insert or update on payments.payment
    for each row execute function payments.guard_payment();

create or replace function payments.guard_attempt() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' and new.state <> 'asked'
       or tg_op = 'UPDATE' and new.state <> old.state and not exists (
           select from payments.attempt_move where before = old.state and after = new.state)
    then
        raise exception 'attempt % cannot become %', new.id, new.state
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;
create or replace trigger attempt_keeps_its_moves before insert or update on payments.attempt
    for each row execute function payments.guard_attempt();

create or replace function payments.guard_refund() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' and new.state <> 'pending'
       or tg_op = 'UPDATE' and new.state <> old.state and not exists (
           select from payments.refund_move where before = old.state and after = new.state)
    then
        raise exception 'refund % cannot become %', new.id, new.state
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;
create or replace trigger refund_keeps_its_moves before insert or update on payments.refund
    for each row execute function payments.guard_refund();

create or replace trigger payment_is_never_deleted before delete on payments.payment
    for each row execute function plumbing.refuse_change();
create or replace trigger attempt_is_never_deleted before delete on payments.attempt
    for each row execute function plumbing.refuse_change();
create or replace trigger refund_is_never_deleted before delete on payments.refund
    for each row execute function plumbing.refuse_change();
create or replace trigger payment_is_never_truncated before truncate on payments.payment
    for each statement execute function plumbing.refuse_change();
create or replace trigger attempt_is_never_truncated before truncate on payments.attempt
    for each statement execute function plumbing.refuse_change();
create or replace trigger refund_is_never_truncated before truncate on payments.refund
    for each statement execute function plumbing.refuse_change();
