-- Made by `python -m tools.schema` from db/migrations; read it, never edit it.
CREATE SCHEMA access;

CREATE SCHEMA intake;

CREATE SCHEMA ledger;

CREATE SCHEMA merchants;

CREATE SCHEMA payments;

CREATE SCHEMA plumbing;

CREATE SCHEMA webhooks;

CREATE FUNCTION intake.note_moves() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION intake.refuse_illegal_move() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION ledger.guard_balance() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if new.debits_minor < old.debits_minor or new.credits_minor < old.credits_minor
       or new.sign <> old.sign or new.version < old.version then
        raise exception 'the totals of account % may only grow', old.account_id
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;

CREATE FUNCTION ledger.make_partitions(month date) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    low    bigint := to_char(month, 'YYYYMM')::bigint * 1000000000000;
    high   bigint := to_char(month + interval '1 month', 'YYYYMM')::bigint * 1000000000000;
    parent text;
    child  text;
begin
    foreach parent in array array['entry', 'posting'] loop
        child := parent || '_' || to_char(month, 'YYYYMM');
        if to_regclass('ledger.' || child) is null then
            execute format(
                'create table ledger.%I partition of ledger.%I for values from (%s) to (%s)',
                child, parent, low, high);
            execute format(
                'create trigger never_truncated before truncate on ledger.%I '
                'for each statement execute function plumbing.refuse_change()', child);
        end if;
    end loop;
end
$$;

CREATE FUNCTION ledger.refuse_unbalanced() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    wrong bigint;
begin
    select seq into wrong
      from inserted
     group by seq, currency
    having sum(case when is_debit then amount_minor else -amount_minor end) <> 0
     limit 1;
    if found then
        raise exception 'entry % does not balance', wrong
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end
$$;

CREATE FUNCTION merchants.refuse_late_start() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if new.status <> 'active' then
        raise exception 'a merchant begins active, not %', new.status
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;

CREATE FUNCTION merchants.refuse_other_moves() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if not exists (select from merchants.merchant_move
                    where before = old.status and after = new.status) then
        raise exception 'a merchant that is % cannot become %', old.status, new.status
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;

CREATE FUNCTION payments.guard_attempt() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION payments.guard_payment() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION payments.guard_refund() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION plumbing.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception '%.% is append-only: % is refused', tg_table_schema, tg_table_name, tg_op
        using errcode = 'integrity_constraint_violation';
end
$$;

CREATE FUNCTION webhooks.list_waiting_endpoints() RETURNS SETOF uuid
    LANGUAGE sql STABLE
    AS $$
    with recursive waiting as (
        (select endpoint_id
           from webhooks.delivery
          where state = 'pending'
          order by endpoint_id
          limit 1)
        union all
        select (select next.endpoint_id
                  from webhooks.delivery as next
                 where next.state = 'pending'
                   and next.endpoint_id > waiting.endpoint_id
                 order by next.endpoint_id
                 limit 1)
          from waiting
         where waiting.endpoint_id is not null)
    select endpoint_id from waiting where endpoint_id is not null
$$;

CREATE FUNCTION webhooks.note_delivery_moves() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into webhooks.delivery_history (delivery_id, before, after, moved_at, because)
    select new_row.id, old_row.state, new_row.state, new_row.moved_at,
           case new_row.state when 'delivered' then null else new_row.trouble end
      from old_rows as old_row
      join new_rows as new_row using (id)
     where old_row.state <> new_row.state;
    return null;
end
$$;

CREATE FUNCTION webhooks.note_endpoint_changes() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into webhooks.endpoint_history
           (endpoint_id, version, before, after, moved_at, moved_by, because)
    select new_row.id, new_row.version, old_row.state, new_row.state, new_row.moved_at,
           new_row.moved_by,
           case when old_row.state <> new_row.state then new_row.reason else 'secret rotated' end
      from old_rows as old_row
      join new_rows as new_row using (id)
     where old_row.version <> new_row.version;
    return null;
end
$$;

CREATE FUNCTION webhooks.refuse_illegal_delivery_move() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if not exists (
        select from webhooks.delivery_move where before = old.state and after = new.state
    ) then
        raise exception 'a % delivery cannot become %', old.state, new.state
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;

CREATE FUNCTION webhooks.refuse_illegal_endpoint_move() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if not exists (
        select from webhooks.endpoint_move where before = old.state and after = new.state
    ) then
        raise exception 'a % endpoint cannot become %', old.state, new.state
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$$;

CREATE TABLE access.api_key (
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    tenant_id uuid,
    name text NOT NULL,
    ending text NOT NULL,
    digest bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by uuid,
    revoked_at timestamp with time zone,
    revoked_by uuid,
    CONSTRAINT four_letters CHECK ((length(ending) = 4)),
    CONSTRAINT is_sha256 CHECK ((length(digest) = 32)),
    CONSTRAINT may_do_something CHECK ((cardinality(scopes) > 0))
);

CREATE TABLE access.tenant (
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    kind text NOT NULL,
    reseller_id uuid,
    admitted_at timestamp with time zone NOT NULL,
    CONSTRAINT known_kind CHECK ((kind = ANY (ARRAY['reseller'::text, 'merchant'::text]))),
    CONSTRAINT only_merchants_have_a_reseller CHECK (((kind = 'merchant'::text) OR (reseller_id IS NULL)))
);

CREATE TABLE intake.message (
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    provider text NOT NULL,
    is_test boolean NOT NULL,
    provider_event_id text NOT NULL,
    topic text NOT NULL,
    payment_ref text,
    our_ref uuid,
    is_signature_valid boolean NOT NULL,
    headers jsonb NOT NULL,
    payload bytea NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    state text DEFAULT 'received'::text NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    claimed_until timestamp with time zone,
    outcome text,
    trouble text,
    processed_at timestamp with time zone,
    CONSTRAINT event_id_length CHECK (((length(provider_event_id) >= 1) AND (length(provider_event_id) <= 255))),
    CONSTRAINT known_state CHECK ((state = ANY (ARRAY['received'::text, 'parked'::text, 'processed'::text, 'failed'::text]))),
    CONSTRAINT only_verified_messages_are_kept CHECK (is_signature_valid),
    CONSTRAINT payload_size CHECK ((length(payload) <= 1048576)),
    CONSTRAINT processed_when_it_says_so CHECK ((((state = 'processed'::text) = (processed_at IS NOT NULL)) AND ((state = 'processed'::text) = (outcome IS NOT NULL)))),
    CONSTRAINT set_aside_with_a_reason CHECK (((state <> ALL (ARRAY['parked'::text, 'failed'::text])) OR (trouble IS NOT NULL))),
    CONSTRAINT topic_length CHECK (((length(topic) >= 1) AND (length(topic) <= 255)))
);

CREATE TABLE intake.message_history (
    "position" bigint NOT NULL,
    message_id uuid NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    because text
);

ALTER TABLE intake.message_history ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME intake.message_history_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE intake.message_move (
    before text NOT NULL,
    after text NOT NULL
);

ALTER TABLE intake.message ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME intake.message_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ledger.account (
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    owner_id uuid NOT NULL,
    purpose text NOT NULL,
    currency text NOT NULL,
    exponent smallint NOT NULL,
    normal_side text NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT currency_is_a_code CHECK ((currency ~ '^[A-Z][A-Z0-9]{1,11}$'::text)),
    CONSTRAINT exponent_in_bounds CHECK (((exponent >= 0) AND (exponent <= 18))),
    CONSTRAINT known_side CHECK ((normal_side = ANY (ARRAY['debit'::text, 'credit'::text]))),
    CONSTRAINT purpose_is_a_word CHECK ((purpose ~ '^[a-z][a-z0-9_:]{0,63}$'::text))
);

CREATE TABLE ledger.balance (
    account_id uuid NOT NULL,
    sign smallint NOT NULL,
    floor_minor bigint,
    status text DEFAULT 'open'::text NOT NULL,
    debits_minor bigint DEFAULT 0 NOT NULL,
    credits_minor bigint DEFAULT 0 NOT NULL,
    pending_debits_minor bigint DEFAULT 0 NOT NULL,
    pending_credits_minor bigint DEFAULT 0 NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    last_seq bigint,
    CONSTRAINT known_status CHECK ((status = ANY (ARRAY['open'::text, 'frozen'::text, 'closed'::text]))),
    CONSTRAINT never_below_its_floor CHECK (((floor_minor IS NULL) OR (((sign * (debits_minor - credits_minor)) -
CASE sign
    WHEN 1 THEN pending_credits_minor
    ELSE pending_debits_minor
END) >= floor_minor))),
    CONSTRAINT sign_is_a_side CHECK ((sign = ANY (ARRAY['-1'::integer, 1]))),
    CONSTRAINT totals_are_sums CHECK (((debits_minor >= 0) AND (credits_minor >= 0) AND (pending_debits_minor >= 0) AND (pending_credits_minor >= 0)))
)
WITH (fillfactor='60');

CREATE TABLE ledger.chain (
    only_one boolean DEFAULT true NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT is_sha256 CHECK ((length(hash) = 32)),
    CONSTRAINT there_is_one CHECK (only_one)
);

CREATE TABLE ledger.entry (
    seq bigint NOT NULL,
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    source_system text NOT NULL,
    source_event_id text NOT NULL,
    reason text NOT NULL,
    corrects_id uuid,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    metadata jsonb,
    hash bytea NOT NULL,
    CONSTRAINT is_sha256 CHECK ((length(hash) = 32))
)
PARTITION BY RANGE (seq);

CREATE TABLE ledger.entry_202611 (
    seq bigint CONSTRAINT entry_seq_not_null NOT NULL,
    id uuid CONSTRAINT entry_id_not_null NOT NULL,
    is_test boolean CONSTRAINT entry_is_test_not_null NOT NULL,
    source_system text CONSTRAINT entry_source_system_not_null NOT NULL,
    source_event_id text CONSTRAINT entry_source_event_id_not_null NOT NULL,
    reason text CONSTRAINT entry_reason_not_null NOT NULL,
    corrects_id uuid,
    effective_at timestamp with time zone CONSTRAINT entry_effective_at_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT entry_recorded_at_not_null NOT NULL,
    metadata jsonb,
    hash bytea CONSTRAINT entry_hash_not_null NOT NULL,
    CONSTRAINT is_sha256 CHECK ((length(hash) = 32))
);

CREATE TABLE ledger.entry_202612 (
    seq bigint CONSTRAINT entry_seq_not_null NOT NULL,
    id uuid CONSTRAINT entry_id_not_null NOT NULL,
    is_test boolean CONSTRAINT entry_is_test_not_null NOT NULL,
    source_system text CONSTRAINT entry_source_system_not_null NOT NULL,
    source_event_id text CONSTRAINT entry_source_event_id_not_null NOT NULL,
    reason text CONSTRAINT entry_reason_not_null NOT NULL,
    corrects_id uuid,
    effective_at timestamp with time zone CONSTRAINT entry_effective_at_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT entry_recorded_at_not_null NOT NULL,
    metadata jsonb,
    hash bytea CONSTRAINT entry_hash_not_null NOT NULL,
    CONSTRAINT is_sha256 CHECK ((length(hash) = 32))
);

CREATE TABLE ledger.entry_202701 (
    seq bigint CONSTRAINT entry_seq_not_null NOT NULL,
    id uuid CONSTRAINT entry_id_not_null NOT NULL,
    is_test boolean CONSTRAINT entry_is_test_not_null NOT NULL,
    source_system text CONSTRAINT entry_source_system_not_null NOT NULL,
    source_event_id text CONSTRAINT entry_source_event_id_not_null NOT NULL,
    reason text CONSTRAINT entry_reason_not_null NOT NULL,
    corrects_id uuid,
    effective_at timestamp with time zone CONSTRAINT entry_effective_at_not_null NOT NULL,
    recorded_at timestamp with time zone CONSTRAINT entry_recorded_at_not_null NOT NULL,
    metadata jsonb,
    hash bytea CONSTRAINT entry_hash_not_null NOT NULL,
    CONSTRAINT is_sha256 CHECK ((length(hash) = 32))
);

CREATE TABLE ledger.milestone (
    account_id uuid NOT NULL,
    version bigint NOT NULL,
    seq bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL
);

CREATE TABLE ledger.posting (
    seq bigint NOT NULL,
    line smallint NOT NULL,
    account_id uuid NOT NULL,
    is_debit boolean NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    debits_after bigint NOT NULL,
    credits_after bigint NOT NULL,
    prior_seq bigint,
    CONSTRAINT amounts_are_positive CHECK ((amount_minor > 0))
)
PARTITION BY RANGE (seq);

CREATE TABLE ledger.posting_202611 (
    seq bigint CONSTRAINT posting_seq_not_null NOT NULL,
    line smallint CONSTRAINT posting_line_not_null NOT NULL,
    account_id uuid CONSTRAINT posting_account_id_not_null NOT NULL,
    is_debit boolean CONSTRAINT posting_is_debit_not_null NOT NULL,
    amount_minor bigint CONSTRAINT posting_amount_minor_not_null NOT NULL,
    currency text CONSTRAINT posting_currency_not_null NOT NULL,
    debits_after bigint CONSTRAINT posting_debits_after_not_null NOT NULL,
    credits_after bigint CONSTRAINT posting_credits_after_not_null NOT NULL,
    prior_seq bigint,
    CONSTRAINT amounts_are_positive CHECK ((amount_minor > 0))
);

CREATE TABLE ledger.posting_202612 (
    seq bigint CONSTRAINT posting_seq_not_null NOT NULL,
    line smallint CONSTRAINT posting_line_not_null NOT NULL,
    account_id uuid CONSTRAINT posting_account_id_not_null NOT NULL,
    is_debit boolean CONSTRAINT posting_is_debit_not_null NOT NULL,
    amount_minor bigint CONSTRAINT posting_amount_minor_not_null NOT NULL,
    currency text CONSTRAINT posting_currency_not_null NOT NULL,
    debits_after bigint CONSTRAINT posting_debits_after_not_null NOT NULL,
    credits_after bigint CONSTRAINT posting_credits_after_not_null NOT NULL,
    prior_seq bigint,
    CONSTRAINT amounts_are_positive CHECK ((amount_minor > 0))
);

CREATE TABLE ledger.posting_202701 (
    seq bigint CONSTRAINT posting_seq_not_null NOT NULL,
    line smallint CONSTRAINT posting_line_not_null NOT NULL,
    account_id uuid CONSTRAINT posting_account_id_not_null NOT NULL,
    is_debit boolean CONSTRAINT posting_is_debit_not_null NOT NULL,
    amount_minor bigint CONSTRAINT posting_amount_minor_not_null NOT NULL,
    currency text CONSTRAINT posting_currency_not_null NOT NULL,
    debits_after bigint CONSTRAINT posting_debits_after_not_null NOT NULL,
    credits_after bigint CONSTRAINT posting_credits_after_not_null NOT NULL,
    prior_seq bigint,
    CONSTRAINT amounts_are_positive CHECK ((amount_minor > 0))
);

CREATE TABLE ledger.source (
    source_system text NOT NULL,
    source_event_id text NOT NULL,
    seq bigint NOT NULL
);

CREATE TABLE merchants.merchant (
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    reseller_id uuid,
    name text NOT NULL,
    country text NOT NULL,
    default_currency text NOT NULL,
    metadata jsonb NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT country_is_iso_3166 CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT currency_is_iso_4217 CHECK ((default_currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT known_status CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text]))),
    CONSTRAINT merchant_has_a_name CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);

CREATE TABLE merchants.merchant_history (
    merchant_id uuid NOT NULL,
    "position" integer NOT NULL,
    before text,
    after text NOT NULL,
    reason text,
    by_key_id uuid,
    happened_at timestamp with time zone NOT NULL,
    CONSTRAINT counted_from_one CHECK (("position" > 0))
);

CREATE TABLE merchants.merchant_move (
    before text NOT NULL,
    after text NOT NULL
);

CREATE TABLE merchants.reseller (
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    name text NOT NULL,
    country text NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT country_is_iso_3166 CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT reseller_has_a_name CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);

CREATE TABLE merchants.store (
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    merchant_id uuid NOT NULL,
    name text NOT NULL,
    country text NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT country_is_iso_3166 CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT store_has_a_name CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);

CREATE TABLE payments.attempt (
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    payment_id uuid NOT NULL,
    refund_id uuid,
    undoes_id uuid,
    operation text NOT NULL,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    provider text NOT NULL,
    payment_ref text,
    provider_ref text,
    verdict text,
    detail text,
    asked_at timestamp with time zone NOT NULL,
    asked_count integer DEFAULT 0 NOT NULL,
    resolve_at timestamp with time zone,
    concluded_at timestamp with time zone,
    CONSTRAINT amounts_are_positive CHECK ((amount_minor > 0)),
    CONSTRAINT known_operation CHECK ((operation = ANY (ARRAY['authorize'::text, 'sale'::text, 'capture'::text, 'void'::text, 'refund'::text]))),
    CONSTRAINT open_ones_are_due CHECK (((state = 'asked'::text) = (resolve_at IS NOT NULL))),
    CONSTRAINT refunds_name_theirs CHECK ((((operation = 'refund'::text) AND (undoes_id IS NULL)) = (refund_id IS NOT NULL)))
);

CREATE TABLE payments.attempt_move (
    before text NOT NULL,
    after text NOT NULL
);

CREATE TABLE payments.history (
    "position" bigint NOT NULL,
    payment_id uuid NOT NULL,
    attempt_id uuid,
    what text NOT NULL,
    facts jsonb NOT NULL,
    happened_at timestamp with time zone NOT NULL
);

ALTER TABLE payments.history ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME payments.history_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE payments.payment (
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    merchant_id uuid NOT NULL,
    reseller_id uuid,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    capture_method text NOT NULL,
    authorized_minor bigint DEFAULT 0 NOT NULL,
    captured_minor bigint DEFAULT 0 NOT NULL,
    refunded_minor bigint DEFAULT 0 NOT NULL,
    method_type text NOT NULL,
    method_brand text,
    method_last4 text,
    provider text NOT NULL,
    provider_ref text,
    decline_reason text,
    decline_advice text,
    decline_raw text,
    reference text,
    description text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT amount_in_bounds CHECK (((amount_minor >= 1) AND (amount_minor <= '1000000000000000'::bigint))),
    CONSTRAINT amounts_fit_the_state CHECK (
CASE state
    WHEN 'processing'::text THEN (authorized_minor = 0)
    WHEN 'declined'::text THEN (authorized_minor = 0)
    WHEN 'failed'::text THEN (authorized_minor = 0)
    WHEN 'authorized'::text THEN ((authorized_minor > 0) AND (captured_minor = 0))
    WHEN 'reversed'::text THEN ((authorized_minor > 0) AND (captured_minor = 0))
    WHEN 'partially_captured'::text THEN (((captured_minor >= 1) AND (captured_minor <= (authorized_minor - 1))) AND (refunded_minor = 0))
    WHEN 'captured'::text THEN ((captured_minor = authorized_minor) AND (refunded_minor = 0))
    WHEN 'partially_refunded'::text THEN ((refunded_minor >= 1) AND (refunded_minor <= (captured_minor - 1)))
    WHEN 'refunded'::text THEN ((refunded_minor = captured_minor) AND (captured_minor > 0))
    ELSE false
END),
    CONSTRAINT authorized_within_amount CHECK (((authorized_minor >= 0) AND (authorized_minor <= amount_minor))),
    CONSTRAINT captured_within_authorized CHECK (((captured_minor >= 0) AND (captured_minor <= authorized_minor))),
    CONSTRAINT currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT declined_has_a_reason CHECK (((state = 'declined'::text) = (decline_reason IS NOT NULL))),
    CONSTRAINT known_capture_method CHECK ((capture_method = ANY (ARRAY['automatic'::text, 'manual'::text]))),
    CONSTRAINT refunded_within_captured CHECK (((refunded_minor >= 0) AND (refunded_minor <= captured_minor)))
);

CREATE TABLE payments.payment_move (
    before text NOT NULL,
    after text NOT NULL
);

CREATE TABLE payments.refund (
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    payment_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    reseller_id uuid,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    reason text,
    provider_ref text,
    failure text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT refunds_are_positive CHECK ((amount_minor > 0))
);

CREATE TABLE payments.refund_move (
    before text NOT NULL,
    after text NOT NULL
);

CREATE TABLE plumbing.idempotency_key (
    tenant_id uuid NOT NULL,
    is_test boolean NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    subject_id uuid,
    status integer,
    body bytea,
    reserved_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT answered_whole CHECK (((status IS NULL) = (body IS NULL))),
    CONSTRAINT is_sha256 CHECK ((length(fingerprint) = 32)),
    CONSTRAINT key_length CHECK (((length(key) >= 1) AND (length(key) <= 255)))
);

CREATE TABLE plumbing.inbox (
    consumer text NOT NULL,
    message_id uuid NOT NULL,
    done_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE plumbing.migration (
    number integer NOT NULL,
    name text NOT NULL,
    step text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE plumbing.outbox (
    "position" bigint NOT NULL,
    id uuid NOT NULL,
    topic text NOT NULL,
    version integer NOT NULL,
    subject text NOT NULL,
    merchant_id uuid NOT NULL,
    is_test boolean NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    payload jsonb NOT NULL,
    state text DEFAULT 'new'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    trouble text,
    next_try_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    published_at timestamp with time zone,
    CONSTRAINT known_state CHECK ((state = ANY (ARRAY['new'::text, 'published'::text, 'failed'::text]))),
    CONSTRAINT published_when_it_says_so CHECK (((state = 'published'::text) = (published_at IS NOT NULL)))
);

ALTER TABLE plumbing.outbox ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME plumbing.outbox_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE webhooks.delivery (
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    is_test boolean NOT NULL,
    merchant_id uuid NOT NULL,
    reseller_id uuid,
    state text DEFAULT 'pending'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    tries_left integer NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    claimed_until timestamp with time zone,
    last_status integer,
    trouble text,
    created_at timestamp with time zone NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone,
    CONSTRAINT delivered_when_it_says_so CHECK (((state <> 'delivered'::text) OR ((delivered_at IS NOT NULL) AND (tries > 0)))),
    CONSTRAINT failed_with_a_reason CHECK (((state <> 'failed'::text) OR (trouble IS NOT NULL))),
    CONSTRAINT known_state CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text]))),
    CONSTRAINT pending_ones_have_tries_left CHECK (((state <> 'pending'::text) OR (tries_left > 0))),
    CONSTRAINT tries_left_not_negative CHECK ((tries_left >= 0))
);

CREATE TABLE webhooks.delivery_history (
    "position" bigint NOT NULL,
    delivery_id uuid NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    because text
);

ALTER TABLE webhooks.delivery_history ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME webhooks.delivery_history_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE webhooks.delivery_move (
    before text NOT NULL,
    after text NOT NULL
);

CREATE TABLE webhooks.delivery_try (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    tried_at timestamp with time zone NOT NULL,
    duration_ms integer NOT NULL,
    status integer,
    trouble text,
    CONSTRAINT time_goes_forward CHECK ((duration_ms >= 0)),
    CONSTRAINT tries_count_up CHECK ((number > 0)),
    CONSTRAINT trouble_is_short CHECK ((length(trouble) <= 200))
);

CREATE TABLE webhooks.endpoint (
    id uuid NOT NULL,
    is_test boolean NOT NULL,
    merchant_id uuid NOT NULL,
    reseller_id uuid,
    url text NOT NULL,
    topics text[] NOT NULL,
    description text,
    state text DEFAULT 'enabled'::text NOT NULL,
    reason text,
    secret text,
    former_secret text,
    former_secret_until timestamp with time zone,
    failing_since timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    moved_by text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT a_deleted_one_keeps_no_secret CHECK ((((state = 'deleted'::text) = (secret IS NULL)) AND ((state <> 'deleted'::text) OR (former_secret IS NULL)))),
    CONSTRAINT description_length CHECK ((length(description) <= 500)),
    CONSTRAINT disabled_with_a_reason CHECK (((state = 'disabled'::text) = (reason IS NOT NULL))),
    CONSTRAINT former_secret_ends CHECK (((former_secret IS NULL) = (former_secret_until IS NULL))),
    CONSTRAINT https_in_live_mode CHECK ((is_test OR (url ~~ 'https://%'::text))),
    CONSTRAINT known_state CHECK ((state = ANY (ARRAY['enabled'::text, 'disabled'::text, 'deleted'::text]))),
    CONSTRAINT topics_are_some CHECK (((cardinality(topics) >= 1) AND (cardinality(topics) <= 100))),
    CONSTRAINT url_length CHECK (((length(url) >= 1) AND (length(url) <= 2048)))
);

CREATE TABLE webhooks.endpoint_history (
    "position" bigint NOT NULL,
    endpoint_id uuid NOT NULL,
    version integer NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    moved_by text NOT NULL,
    because text
);

ALTER TABLE webhooks.endpoint_history ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME webhooks.endpoint_history_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE webhooks.endpoint_move (
    before text NOT NULL,
    after text NOT NULL
);

CREATE TABLE webhooks.message (
    event_id uuid NOT NULL,
    is_test boolean NOT NULL,
    merchant_id uuid NOT NULL,
    topic text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT body_size CHECK ((length(body) <= 20480)),
    CONSTRAINT sequences_count_up CHECK ((sequence > 0))
);

ALTER TABLE ONLY ledger.entry ATTACH PARTITION ledger.entry_202611 FOR VALUES FROM ('202611000000000000') TO ('202612000000000000');

ALTER TABLE ONLY ledger.entry ATTACH PARTITION ledger.entry_202612 FOR VALUES FROM ('202612000000000000') TO ('202701000000000000');

ALTER TABLE ONLY ledger.entry ATTACH PARTITION ledger.entry_202701 FOR VALUES FROM ('202701000000000000') TO ('202702000000000000');

ALTER TABLE ONLY ledger.posting ATTACH PARTITION ledger.posting_202611 FOR VALUES FROM ('202611000000000000') TO ('202612000000000000');

ALTER TABLE ONLY ledger.posting ATTACH PARTITION ledger.posting_202612 FOR VALUES FROM ('202612000000000000') TO ('202701000000000000');

ALTER TABLE ONLY ledger.posting ATTACH PARTITION ledger.posting_202701 FOR VALUES FROM ('202701000000000000') TO ('202702000000000000');

ALTER TABLE ONLY access.api_key
    ADD CONSTRAINT api_key_digest_key UNIQUE (digest);

ALTER TABLE ONLY access.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY access.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (id);

ALTER TABLE ONLY access.tenant
    ADD CONSTRAINT wall_is_part_of_a_tenant UNIQUE (id, is_test);

ALTER TABLE ONLY intake.message
    ADD CONSTRAINT each_event_of_a_provider_once UNIQUE (provider, is_test, provider_event_id);

ALTER TABLE ONLY intake.message_history
    ADD CONSTRAINT message_history_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY intake.message_move
    ADD CONSTRAINT message_move_pkey PRIMARY KEY (before, after);

ALTER TABLE ONLY intake.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (id);

ALTER TABLE ONLY intake.message
    ADD CONSTRAINT message_sequence_key UNIQUE (sequence);

ALTER TABLE ONLY ledger.account
    ADD CONSTRAINT account_is_test_owner_id_purpose_currency_key UNIQUE (is_test, owner_id, purpose, currency);

ALTER TABLE ONLY ledger.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ledger.balance
    ADD CONSTRAINT balance_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY ledger.chain
    ADD CONSTRAINT chain_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY ledger.entry
    ADD CONSTRAINT entry_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY ledger.entry_202611
    ADD CONSTRAINT entry_202611_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY ledger.entry_202612
    ADD CONSTRAINT entry_202612_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY ledger.entry_202701
    ADD CONSTRAINT entry_202701_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY ledger.milestone
    ADD CONSTRAINT milestone_pkey PRIMARY KEY (account_id, version);

ALTER TABLE ONLY ledger.posting
    ADD CONSTRAINT posting_pkey PRIMARY KEY (seq, line);

ALTER TABLE ONLY ledger.posting_202611
    ADD CONSTRAINT posting_202611_pkey PRIMARY KEY (seq, line);

ALTER TABLE ONLY ledger.posting_202612
    ADD CONSTRAINT posting_202612_pkey PRIMARY KEY (seq, line);

ALTER TABLE ONLY ledger.posting_202701
    ADD CONSTRAINT posting_202701_pkey PRIMARY KEY (seq, line);

ALTER TABLE ONLY ledger.source
    ADD CONSTRAINT source_pkey PRIMARY KEY (source_system, source_event_id);

ALTER TABLE ONLY merchants.merchant_history
    ADD CONSTRAINT merchant_history_pkey PRIMARY KEY (merchant_id, "position");

ALTER TABLE ONLY merchants.merchant_move
    ADD CONSTRAINT merchant_move_pkey PRIMARY KEY (before, after);

ALTER TABLE ONLY merchants.merchant
    ADD CONSTRAINT merchant_pkey PRIMARY KEY (id);

ALTER TABLE ONLY merchants.reseller
    ADD CONSTRAINT reseller_pkey PRIMARY KEY (id);

ALTER TABLE ONLY merchants.store
    ADD CONSTRAINT store_pkey PRIMARY KEY (id);

ALTER TABLE ONLY merchants.merchant
    ADD CONSTRAINT wall_is_part_of_a_merchant UNIQUE (id, is_test);

ALTER TABLE ONLY merchants.reseller
    ADD CONSTRAINT wall_is_part_of_a_reseller UNIQUE (id, is_test);

ALTER TABLE ONLY payments.attempt_move
    ADD CONSTRAINT attempt_move_pkey PRIMARY KEY (before, after);

ALTER TABLE ONLY payments.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.history
    ADD CONSTRAINT history_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY payments.payment
    ADD CONSTRAINT payment_id_is_test_key UNIQUE (id, is_test);

ALTER TABLE ONLY payments.payment_move
    ADD CONSTRAINT payment_move_pkey PRIMARY KEY (before, after);

ALTER TABLE ONLY payments.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.refund_move
    ADD CONSTRAINT refund_move_pkey PRIMARY KEY (before, after);

ALTER TABLE ONLY payments.refund
    ADD CONSTRAINT refund_pkey PRIMARY KEY (id);

ALTER TABLE ONLY plumbing.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (tenant_id, is_test, key);

ALTER TABLE ONLY plumbing.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (consumer, message_id);

ALTER TABLE ONLY plumbing.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY plumbing.outbox
    ADD CONSTRAINT outbox_id_key UNIQUE (id);

ALTER TABLE ONLY plumbing.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY webhooks.delivery_history
    ADD CONSTRAINT delivery_history_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY webhooks.delivery_move
    ADD CONSTRAINT delivery_move_pkey PRIMARY KEY (before, after);

ALTER TABLE ONLY webhooks.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (id);

ALTER TABLE ONLY webhooks.delivery_try
    ADD CONSTRAINT delivery_try_pkey PRIMARY KEY (delivery_id, number);

ALTER TABLE ONLY webhooks.delivery
    ADD CONSTRAINT each_event_once_per_endpoint UNIQUE (event_id, endpoint_id);

ALTER TABLE ONLY webhooks.endpoint_history
    ADD CONSTRAINT endpoint_history_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY webhooks.endpoint_move
    ADD CONSTRAINT endpoint_move_pkey PRIMARY KEY (before, after);

ALTER TABLE ONLY webhooks.endpoint
    ADD CONSTRAINT endpoint_pkey PRIMARY KEY (id);

ALTER TABLE ONLY webhooks.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY webhooks.message
    ADD CONSTRAINT message_subject_sequence_key UNIQUE (subject, sequence);

CREATE INDEX api_key_tenant ON access.api_key USING btree (tenant_id, id);

CREATE INDEX tenant_reseller ON access.tenant USING btree (reseller_id) WHERE (reseller_id IS NOT NULL);

CREATE INDEX message_about_payment ON intake.message USING btree (payment_ref, provider) WHERE (payment_ref IS NOT NULL);

CREATE INDEX message_history_of ON intake.message_history USING btree (message_id, "position");

CREATE INDEX message_set_aside ON intake.message USING btree (id) WHERE (state = 'failed'::text);

CREATE INDEX message_waiting ON intake.message USING btree (next_try_at) WHERE (state = ANY (ARRAY['received'::text, 'parked'::text]));

CREATE INDEX account_by_owner ON ledger.account USING btree (owner_id, is_test, created_at, id);

CREATE INDEX entry_by_id ON ONLY ledger.entry USING btree (id);

CREATE INDEX entry_202611_id_idx ON ledger.entry_202611 USING btree (id);

CREATE INDEX entry_202612_id_idx ON ledger.entry_202612 USING btree (id);

CREATE INDEX entry_202701_id_idx ON ledger.entry_202701 USING btree (id);

CREATE INDEX milestone_by_time ON ledger.milestone USING btree (account_id, recorded_at);

CREATE INDEX merchant_reseller ON merchants.merchant USING btree (reseller_id, id) WHERE (reseller_id IS NOT NULL);

CREATE INDEX store_merchant ON merchants.store USING btree (merchant_id, id);

CREATE INDEX attempt_by_payment ON payments.attempt USING btree (payment_id);

CREATE INDEX attempt_by_payment_ref ON payments.attempt USING btree (provider, payment_ref) WHERE (payment_ref IS NOT NULL);

CREATE INDEX attempt_due ON payments.attempt USING btree (resolve_at) WHERE (state = 'asked'::text);

CREATE INDEX history_by_payment ON payments.history USING btree (payment_id, "position");

CREATE UNIQUE INDEX one_operation_at_a_time ON payments.attempt USING btree (payment_id) WHERE ((state = 'asked'::text) AND (operation <> 'refund'::text) AND (undoes_id IS NULL));

CREATE INDEX payment_by_merchant ON payments.payment USING btree (merchant_id, is_test, id);

CREATE INDEX payment_by_reference ON payments.payment USING btree (merchant_id, reference) WHERE (reference IS NOT NULL);

CREATE INDEX payment_by_state ON payments.payment USING btree (state, id);

CREATE INDEX refund_by_payment ON payments.refund USING btree (payment_id);

CREATE UNIQUE INDEX undone_once ON payments.attempt USING btree (undoes_id) WHERE (undoes_id IS NOT NULL);

CREATE INDEX idempotency_key_expiry ON plumbing.idempotency_key USING btree (expires_at);

CREATE INDEX idempotency_key_subject ON plumbing.idempotency_key USING btree (subject_id) WHERE (subject_id IS NOT NULL);

CREATE INDEX outbox_subject ON plumbing.outbox USING btree (subject, "position");

CREATE INDEX outbox_waiting ON plumbing.outbox USING btree ("position") WHERE (state = 'new'::text);

CREATE INDEX delivery_by_endpoint ON webhooks.delivery USING btree (endpoint_id, id);

CREATE INDEX delivery_by_merchant ON webhooks.delivery USING btree (merchant_id, is_test, id);

CREATE INDEX delivery_claimed ON webhooks.delivery USING btree (endpoint_id) WHERE (claimed_until IS NOT NULL);

CREATE INDEX delivery_history_of ON webhooks.delivery_history USING btree (delivery_id, "position");

CREATE INDEX delivery_waiting ON webhooks.delivery USING btree (endpoint_id, next_try_at) WHERE (state = 'pending'::text);

CREATE INDEX endpoint_by_merchant ON webhooks.endpoint USING btree (merchant_id, is_test, id);

CREATE INDEX endpoint_history_of ON webhooks.endpoint_history USING btree (endpoint_id, "position");

ALTER INDEX ledger.entry_by_id ATTACH PARTITION ledger.entry_202611_id_idx;

ALTER INDEX ledger.entry_pkey ATTACH PARTITION ledger.entry_202611_pkey;

ALTER INDEX ledger.entry_by_id ATTACH PARTITION ledger.entry_202612_id_idx;

ALTER INDEX ledger.entry_pkey ATTACH PARTITION ledger.entry_202612_pkey;

ALTER INDEX ledger.entry_by_id ATTACH PARTITION ledger.entry_202701_id_idx;

ALTER INDEX ledger.entry_pkey ATTACH PARTITION ledger.entry_202701_pkey;

ALTER INDEX ledger.posting_pkey ATTACH PARTITION ledger.posting_202611_pkey;

ALTER INDEX ledger.posting_pkey ATTACH PARTITION ledger.posting_202612_pkey;

ALTER INDEX ledger.posting_pkey ATTACH PARTITION ledger.posting_202701_pkey;

CREATE TRIGGER api_key_stays_what_it_is BEFORE DELETE OR UPDATE OF id, is_test, tenant_id, name, ending, digest, scopes, created_at, created_by ON access.api_key FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER revoked_for_good BEFORE UPDATE ON access.api_key FOR EACH ROW WHEN ((old.revoked_at IS NOT NULL)) EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER tenant_is_append_only BEFORE DELETE OR UPDATE ON access.tenant FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER message_history_is_append_only BEFORE DELETE OR UPDATE ON intake.message_history FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER message_moves_along_its_table BEFORE UPDATE OF state ON intake.message FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION intake.refuse_illegal_move();

CREATE TRIGGER message_moves_are_noted AFTER UPDATE ON intake.message REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION intake.note_moves();

CREATE TRIGGER message_stays_as_it_came BEFORE DELETE OR UPDATE OF id, provider, is_test, provider_event_id, topic, payment_ref, our_ref, is_signature_valid, headers, payload, happened_at, received_at ON intake.message FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER account_is_never_truncated BEFORE TRUNCATE ON ledger.account FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER account_stays_what_it_is BEFORE DELETE OR UPDATE OF id, is_test, owner_id, purpose, currency, exponent, normal_side ON ledger.account FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER balance_is_never_deleted BEFORE DELETE ON ledger.balance FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER entries_balance AFTER INSERT ON ledger.posting REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unbalanced();

CREATE TRIGGER entry_is_append_only BEFORE DELETE OR UPDATE ON ledger.entry FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER entry_is_never_truncated BEFORE TRUNCATE ON ledger.entry FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.entry_202611 FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.entry_202612 FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.entry_202701 FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.posting_202611 FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.posting_202612 FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.posting_202701 FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER posting_is_append_only BEFORE DELETE OR UPDATE ON ledger.posting FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER posting_is_never_truncated BEFORE TRUNCATE ON ledger.posting FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER source_is_append_only BEFORE DELETE OR UPDATE ON ledger.source FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER source_is_never_truncated BEFORE TRUNCATE ON ledger.source FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER totals_only_grow BEFORE UPDATE OF sign, debits_minor, credits_minor, version ON ledger.balance FOR EACH ROW EXECUTE FUNCTION ledger.guard_balance();

CREATE TRIGGER merchant_begins_active BEFORE INSERT ON merchants.merchant FOR EACH ROW EXECUTE FUNCTION merchants.refuse_late_start();

CREATE TRIGGER merchant_history_is_append_only BEFORE DELETE OR UPDATE ON merchants.merchant_history FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER merchant_moves_as_it_may BEFORE UPDATE OF status ON merchants.merchant FOR EACH ROW EXECUTE FUNCTION merchants.refuse_other_moves();

CREATE TRIGGER merchant_stays_on_its_side BEFORE DELETE OR UPDATE OF id, is_test, reseller_id, created_at ON merchants.merchant FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER reseller_stays_on_its_side BEFORE DELETE OR UPDATE OF id, is_test, created_at ON merchants.reseller FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER store_stays_on_its_side BEFORE DELETE OR UPDATE OF id, is_test, merchant_id, created_at ON merchants.store FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER attempt_is_never_deleted BEFORE DELETE ON payments.attempt FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER attempt_is_never_truncated BEFORE TRUNCATE ON payments.attempt FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER attempt_keeps_its_moves BEFORE INSERT OR UPDATE ON payments.attempt FOR EACH ROW EXECUTE FUNCTION payments.guard_attempt();

CREATE TRIGGER history_is_append_only BEFORE DELETE OR UPDATE ON payments.history FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER history_is_never_truncated BEFORE TRUNCATE ON payments.history FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER payment_is_never_deleted BEFORE DELETE ON payments.payment FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER payment_is_never_truncated BEFORE TRUNCATE ON payments.payment FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER payment_keeps_its_moves BEFORE INSERT OR UPDATE ON payments.payment FOR EACH ROW EXECUTE FUNCTION payments.guard_payment();

CREATE TRIGGER refund_is_never_deleted BEFORE DELETE ON payments.refund FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER refund_is_never_truncated BEFORE TRUNCATE ON payments.refund FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER refund_keeps_its_moves BEFORE INSERT OR UPDATE ON payments.refund FOR EACH ROW EXECUTE FUNCTION payments.guard_refund();

CREATE TRIGGER outbox_is_never_truncated BEFORE TRUNCATE ON plumbing.outbox FOR EACH STATEMENT EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER outbox_tells_one_story BEFORE DELETE OR UPDATE OF id, topic, version, subject, merchant_id, is_test, happened_at, payload ON plumbing.outbox FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER delivery_history_is_append_only BEFORE DELETE OR UPDATE ON webhooks.delivery_history FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER delivery_moves_along_its_table BEFORE UPDATE OF state ON webhooks.delivery FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION webhooks.refuse_illegal_delivery_move();

CREATE TRIGGER delivery_moves_are_noted AFTER UPDATE ON webhooks.delivery REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION webhooks.note_delivery_moves();

CREATE TRIGGER delivery_stays_what_it_is BEFORE DELETE OR UPDATE OF id, endpoint_id, event_id, is_test, merchant_id, reseller_id, created_at ON webhooks.delivery FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER delivery_try_is_append_only BEFORE DELETE OR UPDATE ON webhooks.delivery_try FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER endpoint_changes_are_noted AFTER UPDATE ON webhooks.endpoint REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION webhooks.note_endpoint_changes();

CREATE TRIGGER endpoint_history_is_append_only BEFORE DELETE OR UPDATE ON webhooks.endpoint_history FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER endpoint_moves_along_its_table BEFORE UPDATE OF state ON webhooks.endpoint FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION webhooks.refuse_illegal_endpoint_move();

CREATE TRIGGER endpoint_stays_what_it_is BEFORE DELETE OR UPDATE OF id, is_test, merchant_id, reseller_id, created_at ON webhooks.endpoint FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

CREATE TRIGGER message_is_the_same_on_every_try BEFORE DELETE OR UPDATE ON webhooks.message FOR EACH ROW EXECUTE FUNCTION plumbing.refuse_change();

ALTER TABLE ONLY access.tenant
    ADD CONSTRAINT same_side_as_its_reseller FOREIGN KEY (reseller_id, is_test) REFERENCES access.tenant(id, is_test);

ALTER TABLE ONLY access.api_key
    ADD CONSTRAINT same_side_as_its_tenant FOREIGN KEY (tenant_id, is_test) REFERENCES access.tenant(id, is_test);

ALTER TABLE ONLY intake.message_history
    ADD CONSTRAINT message_history_message_id_fkey FOREIGN KEY (message_id) REFERENCES intake.message(id);

ALTER TABLE ONLY ledger.balance
    ADD CONSTRAINT balance_account_id_fkey FOREIGN KEY (account_id) REFERENCES ledger.account(id);

ALTER TABLE ONLY merchants.merchant_history
    ADD CONSTRAINT merchant_history_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants.merchant(id);

ALTER TABLE ONLY merchants.store
    ADD CONSTRAINT same_side_as_its_merchant FOREIGN KEY (merchant_id, is_test) REFERENCES merchants.merchant(id, is_test);

ALTER TABLE ONLY merchants.merchant
    ADD CONSTRAINT same_side_as_its_reseller FOREIGN KEY (reseller_id, is_test) REFERENCES merchants.reseller(id, is_test);

ALTER TABLE ONLY payments.attempt
    ADD CONSTRAINT attempt_payment_id_is_test_fkey FOREIGN KEY (payment_id, is_test) REFERENCES payments.payment(id, is_test);

ALTER TABLE ONLY payments.attempt
    ADD CONSTRAINT attempt_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES payments.refund(id);

ALTER TABLE ONLY payments.attempt
    ADD CONSTRAINT attempt_undoes_id_fkey FOREIGN KEY (undoes_id) REFERENCES payments.attempt(id);

ALTER TABLE ONLY payments.refund
    ADD CONSTRAINT refund_payment_id_is_test_fkey FOREIGN KEY (payment_id, is_test) REFERENCES payments.payment(id, is_test);

ALTER TABLE ONLY webhooks.delivery
    ADD CONSTRAINT delivery_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES webhooks.endpoint(id);

ALTER TABLE ONLY webhooks.delivery
    ADD CONSTRAINT delivery_event_id_fkey FOREIGN KEY (event_id) REFERENCES webhooks.message(event_id);

ALTER TABLE ONLY webhooks.delivery_history
    ADD CONSTRAINT delivery_history_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES webhooks.delivery(id);

ALTER TABLE ONLY webhooks.delivery_try
    ADD CONSTRAINT delivery_try_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES webhooks.delivery(id);

ALTER TABLE ONLY webhooks.endpoint_history
    ADD CONSTRAINT endpoint_history_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES webhooks.endpoint(id);
