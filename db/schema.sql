create extension btree_gist;

CREATE OR REPLACE FUNCTION public.announce_event()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_notify('clouder_events', '');
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.check_instance_state()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.state <> old.state and not (old.state || '>' || new.state = any (array[
    'ordered>building', 'ordered>cancelling', 'ordered>destroyed', 'building>running', 'building>failed', 'building>cancelling', 'failed>building',
    'failed>cancelling', 'running>limited', 'limited>running', 'running>suspended', 'limited>suspended', 'suspended>running',
    'running>cancelling', 'limited>cancelling', 'suspended>cancelling', 'cancelling>destroyed', 'cancelling>failed', 'failed>destroyed'
  ])) then
    raise exception 'an instance cannot go from % to %', old.state, new.state using errcode = 'check_violation', constraint = 'instance_state';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.check_reservation()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  server servers%rowtype;
  used record;
  is_new boolean := tg_op = 'INSERT';
begin
  if new.released_at is not null then return new; end if;
  if not is_new then
    is_new := old.released_at is not null or old.server_id <> new.server_id;
    if not is_new and new.memory_mib <= old.memory_mib and new.cpus <= old.cpus and new.disk_mib <= old.disk_mib then
      return new;
    end if;
  end if;
  select * into server from servers where id = new.server_id for no key update;
  if is_new and num_nonnulls(server.draining_since, server.removed_at) > 0 then
    raise exception 'the server takes nothing new' using errcode = 'check_violation', constraint = 'reservation_server_open';
  end if;
  if num_nonnulls(server.memory_mib, server.cpus, server.disk_mib, server.most_instances) = 0 then return new; end if;
  select coalesce(sum(memory_mib), 0) as memory_mib, coalesce(sum(cpus), 0) as cpus, coalesce(sum(disk_mib), 0) as disk_mib,
    count(*) as instances into used
  from reservations where server_id = new.server_id and released_at is null and instance_id <> new.instance_id;
  if used.memory_mib + new.memory_mib > server.memory_mib * server.efficiency
    or used.cpus + new.cpus > server.cpus * server.efficiency
    or used.disk_mib + new.disk_mib > server.disk_mib * server.efficiency
    or is_new and used.instances + 1 > server.most_instances then
    raise exception 'more than the server offers' using errcode = 'check_violation', constraint = 'reservation_capacity';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.check_server_removal()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (select from instances where server_id = new.id and destroyed_at is null) then
    raise exception 'instances are on the server' using errcode = 'check_violation', constraint = 'server_removed_empty';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.check_subscription_phase()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.phase <> old.phase and not (old.phase || '>' || new.phase = any (array[
    'ordered>building', 'ordered>ended', 'ordered>unbuilding', 'building>active', 'building>ended', 'building>unbuilding',
    'active>suspended', 'active>unbuilding', 'active>ended', 'suspended>active', 'suspended>unbuilding', 'unbuilding>ended',
    'ordered>active'
  ])) then
    raise exception 'a subscription cannot go from % to %', old.phase, new.phase using errcode = 'check_violation', constraint = 'subscription_phase';
  end if;
  -- Nothing is built, and nothing billed, while its order is held.
  if old.phase = 'ordered' and new.phase in ('building', 'active')
    and exists (select from order_holds where order_id = new.order_id and settled_at is null) then
    raise exception 'the order is held' using errcode = 'check_violation', constraint = 'order_held';
  end if;
  -- Nothing runs again while a reason stands.
  if old.phase = 'suspended' and new.phase = 'active'
    and exists (select from suspensions where subscription_id = new.id and lifted_at is null) then
    raise exception 'the subscription is suspended' using errcode = 'check_violation', constraint = 'subscription_suspended';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.check_units()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  sold limits%rowtype;
  taken numeric;
begin
  if new.released_at is not null then return new; end if;
  select * into sold from limits where instance_id = new.instance_id and code = new.limit_code for no key update;
  if sold.enforcement = 'soft' then return new; end if;
  select coalesce(sum(quantity), 0) into taken from unit_reservations held
    where held.instance_id = new.instance_id and held.limit_code = new.limit_code and held.id <> new.id
      and held.released_at is null and (held.confirmed_at is not null or held.expires_at > clock_timestamp());
  if taken + new.quantity > sold.sold_quantity then
    raise exception 'taken % of %', taken, sold.sold_quantity using errcode = 'check_violation', constraint = 'units_within_limit';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_allocation()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform from invoices where id in (new.invoice_id, new.credit_note_id) order by id for no key update;
  if (select sum(amount_minor) from allocations where invoice_id = new.invoice_id) > (select total_minor from invoices where id = new.invoice_id)
    or (select sum(amount_minor) from allocations where credit_note_id = new.credit_note_id) > (select total_minor from invoices where id = new.credit_note_id) then
    raise exception 'more than the document holds' using errcode = 'check_violation', constraint = 'allocation_exceeds_document';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_correction()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare charged bigint; credited bigint;
begin
  select amount_minor into charged from invoice_lines where id = new.credits_line_id for update;
  -- A credit that was itself taken back, with the document it stood on, counts for nothing.
  select coalesce(-sum(credit.amount_minor + coalesce(undone.amount_minor, 0)), 0) into credited
  from invoice_lines credit
  left join lateral (select sum(amount_minor) as amount_minor from invoice_lines where credits_line_id = credit.id) undone on true
  where credit.credits_line_id = new.credits_line_id;
  if charged >= 0 and credited > charged or charged < 0 and credited < charged then
    raise exception '% credited of %', credited, charged using errcode = 'check_violation', constraint = 'credit_exceeds_line';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_deployment()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if old.state = 'ended' and new.state <> 'ended' then
    raise exception 'a deployment that has ended does not begin again' using errcode = 'check_violation', constraint = 'deployment_ended';
  end if;
  if old.subscription_there <> new.subscription_there then
    raise exception 'a deployment is one subscription over there' using errcode = 'check_violation', constraint = 'deployment_ordered_once';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_dispute()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' or (new.id, new.peer_id, new.document_id, new.number, new.reason, new.lines, new.raised_at)
    is distinct from (old.id, old.peer_id, old.document_id, old.number, old.reason, old.lines, old.raised_at)
    or (new.supplier_invoice_id, new.invoice_id, new.raised_by) is distinct from (old.supplier_invoice_id, old.invoice_id, old.raised_by)
    or (old.withdrawn_at is not null and new.withdrawn_at is distinct from old.withdrawn_at)
    or (old.outcome is not null and (new.outcome, new.answer, new.answered_at, new.answered_by)
      is distinct from (old.outcome, old.answer, old.answered_at, old.answered_by)) then
    raise exception 'what was said in a dispute stays' using errcode = 'check_violation', constraint = 'dispute_kept';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_invoice_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if old.finalized_at is not null or old.skipped_at is not null then
    raise exception 'a finalized document never changes' using errcode = 'check_violation', constraint = 'invoice_finalized';
  end if;
  return coalesce(new, old);
end $function$;

CREATE OR REPLACE FUNCTION public.guard_invoice_insert()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.finalized_at is not null then
    raise exception 'a document begins as a draft' using errcode = 'check_violation', constraint = 'invoice_draft_first';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_invoice_parts()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
AS $function$
declare ids uuid[] := array(select distinct invoice_id from changed);
begin
  perform from invoices where id = any (ids) and xmin <> pg_current_xact_id()::xid order by id for share;
  if exists (select from invoices where id = any (ids) and (finalized_at is not null or skipped_at is not null)) then
    raise exception 'the lines of a finalized document never change' using errcode = 'check_violation', constraint = 'invoice_finalized';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_invoice_totals()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
AS $function$
declare bad record;
begin
  select invoice.id, lines.net_minor, lines.tax_minor, lines.line_count, taxes.tax_minor as breakdown_minor into bad
  from finalized invoice
  cross join lateral (
    select count(*) as line_count, coalesce(sum(amount_minor), 0) as net_minor, coalesce(sum(tax_minor), 0) as tax_minor,
      count(*) filter (where kind in ('usage', 'late_usage') and usage_window_id is null) as unmeasured
    from invoice_lines where invoice_id = invoice.id
  ) lines
  cross join lateral (select coalesce(sum(tax_minor), 0) as tax_minor from invoice_taxes where invoice_id = invoice.id) taxes
  where invoice.finalized_at is not null and (
    lines.line_count = 0 or lines.unmeasured > 0 or taxes.tax_minor <> lines.tax_minor
    or lines.net_minor <> invoice.net_minor * (case invoice.kind when 'credit_note' then -1 else 1 end)
    or lines.tax_minor <> invoice.tax_minor * (case invoice.kind when 'credit_note' then -1 else 1 end))
  limit 1;
  if not found then return null; end if;
  if bad.line_count = 0 then
    raise exception 'a document without lines is never made' using errcode = 'check_violation', constraint = 'invoice_empty';
  end if;
  raise exception 'lines of document % add up to % and % tax, its taxes to %: it says otherwise', bad.id, bad.net_minor, bad.tax_minor, bad.breakdown_minor
    using errcode = 'check_violation', constraint = 'invoice_total';
end $function$;

CREATE OR REPLACE FUNCTION public.guard_lost_document()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' or old.settlement is not null
    or (new.id, new.peer_id, new.document_id, new.kind, new.number, new.currency, new.issued_on, new.total_minor, new.sha256, new.content,
        new.series, new.sequence, new.found_at)
      is distinct from (old.id, old.peer_id, old.document_id, old.kind, old.number, old.currency, old.issued_on, old.total_minor,
        old.sha256, old.content, old.series, old.sequence, old.found_at) then
    raise exception 'what was lost is settled once, and never changes' using errcode = 'check_violation', constraint = 'lost_document_kept';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_payer()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  -- Of two who would make a chain of each other at once, one waits and sees the other.
  perform from customers where id in (new.id, new.payer_id) order by id for no key update;
  if exists (select from customers where id = new.payer_id and payer_id is not null)
    or exists (select from customers where payer_id = new.id)
  then
    raise exception 'a payer has no payer' using errcode = 'check_violation', constraint = 'payer_has_no_payer';
  end if;
  return new;
end;
$function$;

CREATE OR REPLACE FUNCTION public.guard_peer_key()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE'
    or (new.id, new.peer_id, new.is_own, new.public_key, new.made_at) is distinct from (old.id, old.peer_id, old.is_own, old.public_key, old.made_at)
    or (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at) then
    raise exception 'a key stays what it is, and a revoked one revoked' using errcode = 'check_violation', constraint = 'peer_key_kept';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_peer_message()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE'
    or (old.delivered_at is not null and (new.delivered_at is not null or new.sequence <> old.sequence))
    or (new.peer_id, new.kind, new.subject_id, new.content)
      is distinct from (old.peer_id, old.kind, old.subject_id, old.content)
    or new.sequence < old.sequence
    or (new.sequence > old.sequence and new.delivered_at is not null)
    or (old.sha256 is not null and new.sha256 is distinct from old.sha256) then
    raise exception 'what a peer is sent stays what it is' using errcode = 'check_violation', constraint = 'peer_message_kept';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_supplier_allocation()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  invoice supplier_invoices%rowtype;
  note supplier_invoices%rowtype;
  payment supplier_payments%rowtype;
  taken_minor numeric;
begin
  -- The lock makes two at once see each other.
  select * into invoice from supplier_invoices where id = new.supplier_invoice_id for no key update;
  if invoice.voided_at is not null then
    raise exception 'it is void' using errcode = 'check_violation', constraint = 'supplier_allocation_not_void';
  end if;
  select coalesce(sum(allocation.amount_minor), 0) into taken_minor from supplier_allocations allocation
    left join supplier_invoices by_note on by_note.id = allocation.credit_note_id
    where allocation.supplier_invoice_id = invoice.id and by_note.voided_at is null and standing_supplier_allocation(allocation.payment_id);
  if taken_minor > invoice.owed_minor then
    raise exception 'more than the document holds' using errcode = 'check_violation', constraint = 'supplier_allocation_within_invoice';
  end if;
  if new.payment_id is not null then
    select * into payment from supplier_payments where id = new.payment_id;
    if (payment.supplier_id, payment.currency) is distinct from (invoice.supplier_id, invoice.currency) then
      raise exception 'of another supplier or currency' using errcode = 'check_violation', constraint = 'supplier_allocation_same_supplier';
    end if;
    return null;
  end if;
  select * into note from supplier_invoices where id = new.credit_note_id for no key update;
  if note.voided_at is not null then
    raise exception 'it is void' using errcode = 'check_violation', constraint = 'supplier_allocation_not_void';
  end if;
  if (note.supplier_id, note.currency) is distinct from (invoice.supplier_id, invoice.currency) then
    raise exception 'of another supplier or currency' using errcode = 'check_violation', constraint = 'supplier_allocation_same_supplier';
  end if;
  select coalesce(sum(allocation.amount_minor), 0) into taken_minor from supplier_allocations allocation
    join supplier_invoices against on against.id = allocation.supplier_invoice_id
    where allocation.credit_note_id = note.id and against.voided_at is null;
  if taken_minor > -note.owed_minor then
    raise exception 'more than the credit note gives' using errcode = 'check_violation', constraint = 'supplier_allocation_within_credit_note';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_supplier_invoice()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.peer_id is distinct from (select peer_id from suppliers where id = new.supplier_id) then
    raise exception 'a supplier that is a peer sends its documents, and no other does' using errcode = 'check_violation', constraint = 'made_by_its_supplier';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_supplier_invoice_void()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  told text[] := array['voided_at', 'voided_by', 'void_reason', 'owed_minor'];
begin
  if old.voided_at is not null or new.voided_at is null or to_jsonb(old) - told is distinct from to_jsonb(new) - told then
    raise exception '% rows never change', tg_table_name using errcode = 'check_violation', constraint = tg_table_name || '_immutable';
  end if;
  if exists (select from supplier_allocations where supplier_invoice_id = old.id and payment_id is not null
      and standing_supplier_allocation(payment_id)) then
    raise exception 'it is paid' using errcode = 'check_violation', constraint = 'void_is_unpaid';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_supplier_payment()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.amount_minor <> (select coalesce(sum(amount_minor), 0) from supplier_allocations where payment_id = new.id) then
    raise exception 'a payment is the sum of what it pays' using errcode = 'check_violation', constraint = 'supplier_payment_allocated';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.guard_supplier_payment_part()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.payment_id is not null and (select amount_minor from supplier_payments where id = new.payment_id)
    <> (select sum(amount_minor) from supplier_allocations where payment_id = new.payment_id) then
    raise exception 'a payment is the sum of what it pays' using errcode = 'check_violation', constraint = 'supplier_payment_allocated';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.is_wanted(kinds text[], kind text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select kinds is null or kind = any (kinds) or split_part(kind, '.', 1) || '.*' = any (kinds)
$function$;

CREATE OR REPLACE FUNCTION public.keep_who_bills()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'who bills a subscription is agreed with its order' using errcode = 'check_violation', constraint = 'who_bills_is_kept';
end $function$;

CREATE OR REPLACE FUNCTION public.lay_webhook_deliveries()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into webhook_deliveries (webhook_id, event_id)
  select webhook.id, written.id
  from webhooks webhook join written
    on webhook.state <> 'deleted' and written.kind <> 'webhook.tested' and is_wanted(webhook.kinds, written.kind);
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.next_read_at(of_series bigint, after timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
AS $function$
  select least(
    (select min(read_at) from reading_values
      where series_id = of_series and read_at > after and sampled_at >= (select rolled_up_to from reading_store)),
    (select one.read_at from reading_hours hour, unnest(hour.read_ats) as one (read_at)
      where hour.series_id = of_series and hour.starts_at > after - interval '1 hour' and one.read_at > after
      order by hour.starts_at, one.read_at limit 1))
$function$;

CREATE OR REPLACE FUNCTION public.note_late_readings()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  -- Either a bill that is being made has these readings, or its windows are seen below.
  perform from subscription_documents where id in (
    select line.document_id from subscription_lines line where line.instance_id in (
      select series.instance_id from changed join reading_series series on series.id = changed.series_id)
  ) order by id for share;

  with earliest as (
    select series.instance_id, series.metric, min(changed.read_at) as read_at
    from changed join reading_series series on series.id = changed.series_id group by series.instance_id, series.metric
  ), perhaps as (
    select frozen.id, frozen.metric, line.instance_id, line.subscription_id, frozen.window_period, frozen.is_pending, closing.is_closing
    from earliest
    join subscription_lines line on line.instance_id = earliest.instance_id
    join usage_windows frozen on frozen.subscription_line_id = line.id and frozen.metric = earliest.metric and not frozen.is_late
    cross join lateral (
      select exists (
        select from invoice_lines billed join subscriptions subscription on subscription.id = line.subscription_id
        where billed.subscription_line_id = line.id and billed.usage_window_id = frozen.id
          and upper(billed.service_period) = line.ends_on and line.ends_on >= subscription.ends_on
      ) as is_closing
    ) closing
    where upper(frozen.window_period) >= earliest.read_at or frozen.is_pending or closing.is_closing
  ), noted as (
    insert into unsettled_windows (usage_window_id, reason)
    select perhaps.id, 'late_reading' from perhaps
    where exists (
      select from changed reading
      join reading_series series on series.id = reading.series_id
        and series.instance_id = perhaps.instance_id and series.metric = perhaps.metric
      cross join lateral (select coalesce(next_read_at(series.id, reading.read_at), 'infinity') as read_at) next
      where (reading.read_at <= upper(perhaps.window_period) or perhaps.is_closing or perhaps.is_pending)
        and lower(perhaps.window_period) < next.read_at
        and (reading.read_at <= upper(perhaps.window_period) or perhaps.is_closing
          or (perhaps.is_pending and next.read_at < 'infinity')))
    on conflict (usage_window_id) do update set noted_at = excluded.noted_at
    returning usage_window_id
  )
  -- After the last bill nobody would look for it.
  update subscriptions subscription set late_usage_at = present.at
  from customers, (
    select distinct perhaps.subscription_id from perhaps where perhaps.id in (select usage_window_id from noted)
  ) of_noted, subscriptions itself left join test_clocks clock on clock.id = itself.test_clock_id
  cross join lateral (select coalesce(clock.now_at, now()) as at) present
  where subscription.id = of_noted.subscription_id and itself.id = subscription.id and customers.id = subscription.customer_id
    and subscription.ends_on <= (present.at at time zone customers.time_zone)::date;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_backward_clock()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.now_at < old.now_at then
    raise exception 'a test clock never goes back' using errcode = 'check_violation', constraint = 'clock_backwards';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_billed_elsewhere()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (select from added join subscriptions sold on sold.id = added.subscription_id where sold.is_billed_elsewhere) then
    raise exception 'what another installation bills is not charged here' using errcode = 'check_violation', constraint = 'billed_elsewhere';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% rows never change', tg_table_name using errcode = 'check_violation', constraint = tg_table_name || '_immutable';
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_changed_measure()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if (new.code, new.unit, new.kind, new.aggregation, new.percent, new.bucket_seconds, new.rounding, new.level, new.source_type, new.needs_history)
    is distinct from
    (old.code, old.unit, old.kind, old.aggregation, old.percent, old.bucket_seconds, old.rounding, old.level, old.source_type, old.needs_history)
  then
    raise exception 'what metric % measures never changes', old.code using errcode = 'check_violation', constraint = 'metric_measure_fixed';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_deployed_twice()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform from products where id = new.product_id for no key update;
  if exists (select from product_deployers where product_id = new.product_id)
    and exists (select from product_applications where product_id = new.product_id) then
    raise exception 'a product is deployed here or there' using errcode = 'check_violation', constraint = 'deployed_here_or_there';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_lost_number()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.number is not null and new.number is distinct from old.number and exists (
    select from lost_documents where number = new.number and settlement is distinct from 'dismissed'
  ) then
    raise exception 'number % was given before, to a document that a peer has', new.number
      using errcode = 'check_violation', constraint = 'number_given_before';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.release_reservation()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update reservations set released_at = now() where instance_id = new.id and released_at is null;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.release_taken_over()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update taken_over_objects set released_at = now() where instance_id = new.id and released_at is null;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.standing_supplier_allocation(payment uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select payment is null or not exists (select from supplier_payment_reversals where payment_id = payment)
$function$;

CREATE OR REPLACE FUNCTION public.stock_return()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  returned record;
begin
  for returned in
    select taking.product_id, sum(taking.quantity) as quantity
    from stock_takings taking join stocks on stocks.product_id = taking.product_id
    where taking.subscription_id = new.id and taking.returned_at is null and stocks.is_returned
    group by taking.product_id order by taking.product_id
  loop
    update stocks set taken_quantity = taken_quantity - returned.quantity where product_id = returned.product_id;
    update stock_takings set returned_at = now()
      where subscription_id = new.id and product_id = returned.product_id and returned_at is null;
  end loop;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.takes_usage(filter jsonb, properties jsonb)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select not exists (
    select from jsonb_array_elements(coalesce(filter, '[]')) as condition
    where coalesce(case when condition ? 'is' then not condition -> 'is' ? (properties ->> (condition ->> 'property'))
      else condition -> 'isNot' ? (properties ->> (condition ->> 'property')) end, true))
$function$;

CREATE TABLE add_ons (
  product_id uuid not null,
  main_product_id uuid not null,
  constraint add_ons_pkey PRIMARY KEY (product_id, main_product_id),
  constraint add_ons_main_product_id_fkey FOREIGN KEY (main_product_id) REFERENCES products(id),
  constraint add_ons_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint add_ons_check CHECK ((product_id <> main_product_id))
);
CREATE INDEX add_ons_main_product_id_idx ON public.add_ons USING btree (main_product_id);

CREATE TABLE allocations (
  id uuid not null,
  invoice_id uuid not null,
  kind text not null,
  credit_note_id uuid,
  amount_minor bigint not null,
  reference text,
  allocated_at timestamp with time zone not null,
  created_at timestamp with time zone not null default now(),
  constraint allocations_pkey PRIMARY KEY (id),
  constraint allocations_credit_note_id_fkey FOREIGN KEY (credit_note_id) REFERENCES invoices(id),
  constraint allocations_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices(id),
  constraint allocations_amount_minor_check CHECK ((amount_minor > 0)),
  constraint allocations_check CHECK (((kind = 'credit_note'::text) = (credit_note_id IS NOT NULL))),
  constraint allocations_kind_check CHECK ((kind = ANY (ARRAY['balance'::text, 'credit_note'::text, 'payment'::text])))
);
CREATE INDEX allocations_by_credit_note ON public.allocations USING btree (credit_note_id) WHERE (credit_note_id IS NOT NULL);
CREATE INDEX allocations_by_invoice ON public.allocations USING btree (invoice_id);
CREATE TRIGGER allocation_immutable BEFORE DELETE OR UPDATE ON public.allocations FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER allocation_kept BEFORE TRUNCATE ON public.allocations FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER allocation_within_document AFTER INSERT ON public.allocations FOR EACH ROW EXECUTE FUNCTION guard_allocation();

CREATE TABLE announcements (
  id uuid not null,
  customer_id uuid not null,
  subscription_id uuid not null,
  first_line_id uuid not null,
  field text not null,
  old_value text not null,
  new_value text not null,
  effective_on date not null,
  request_id text not null,
  created_at timestamp with time zone not null default now(),
  constraint announcements_pkey PRIMARY KEY (id),
  constraint announced_once UNIQUE (subscription_id, request_id, first_line_id, field),
  constraint announcements_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint announcements_first_line_id_fkey FOREIGN KEY (first_line_id) REFERENCES subscription_lines(id),
  constraint announcements_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint announcements_check CHECK ((new_value <> old_value)),
  constraint announcements_field_check CHECK ((field = ANY (ARRAY['price'::text, 'quantity'::text, 'product'::text, 'recurrence'::text])))
);

CREATE TABLE api_keys (
  id uuid not null,
  name text not null,
  mode text not null,
  secret_sha256 bytea not null,
  scopes text[] not null,
  last_used_at timestamp with time zone,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_secret_sha256_key UNIQUE (secret_sha256),
  constraint api_keys_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

CREATE TABLE application_permissions (
  application_id uuid not null,
  permission text not null,
  reason text not null,
  granted_by text not null,
  granted_at timestamp with time zone not null default now(),
  constraint application_permissions_pkey PRIMARY KEY (application_id, permission),
  constraint application_permissions_application_id_fkey FOREIGN KEY (application_id) REFERENCES applications(id),
  constraint application_permissions_permission_check CHECK ((permission ~ '^[a-z_]+(:.+)?$'::text)),
  constraint application_permissions_reason_check CHECK ((reason <> ''::text))
);

CREATE TABLE application_versions (
  id uuid not null,
  application_id uuid not null,
  version integer not null,
  compose text not null,
  compose_sha256 text not null,
  definition jsonb not null,
  created_at timestamp with time zone not null default now(),
  files jsonb not null default '{}'::jsonb,
  icon text,
  constraint application_versions_pkey PRIMARY KEY (id),
  constraint application_versions_application_id_version_key UNIQUE (application_id, version),
  constraint application_versions_application_id_fkey FOREIGN KEY (application_id) REFERENCES applications(id),
  constraint application_versions_files_check CHECK ((jsonb_typeof(files) = 'object'::text)),
  constraint application_versions_icon_check CHECK (((icon ~ '^data:image/(png|jpeg);base64,'::text) AND (length(icon) <= 100000))),
  constraint application_versions_version_check CHECK ((version > 0))
);

CREATE TABLE applications (
  id uuid not null,
  code text not null,
  title text not null,
  created_at timestamp with time zone not null default now(),
  archived_at timestamp with time zone,
  constraint applications_pkey PRIMARY KEY (id),
  constraint applications_code_key UNIQUE (code),
  constraint applications_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,39}$'::text))
);

CREATE TABLE applied_discounts (
  id uuid not null,
  discount_id uuid not null,
  customer_id uuid not null,
  subscription_id uuid,
  valid_in daterange not null,
  created_at timestamp with time zone not null default now(),
  constraint applied_discounts_pkey PRIMARY KEY (id),
  constraint applied_discounts_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint applied_discounts_discount_id_fkey FOREIGN KEY (discount_id) REFERENCES discounts(id),
  constraint applied_discounts_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint applied_discounts_valid_in_check CHECK (((NOT isempty(valid_in)) AND (NOT lower_inf(valid_in))))
);
CREATE INDEX applied_discounts_by_customer ON public.applied_discounts USING btree (customer_id);
CREATE INDEX applied_discounts_by_subscription ON public.applied_discounts USING btree (subscription_id) WHERE (subscription_id IS NOT NULL);

CREATE TABLE backup_volumes (
  backup_id uuid not null,
  volume text not null,
  location text not null,
  bytes bigint not null,
  sha256 text not null,
  saved_at timestamp with time zone not null,
  verified_at timestamp with time zone,
  constraint backup_volumes_pkey PRIMARY KEY (backup_id, volume),
  constraint backup_volumes_backup_id_fkey FOREIGN KEY (backup_id) REFERENCES backups(id),
  constraint backup_volumes_bytes_check CHECK ((bytes > 0)),
  constraint backup_volumes_check CHECK ((verified_at >= saved_at)),
  constraint backup_volumes_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);

CREATE TABLE backups (
  id uuid not null,
  instance_id uuid not null,
  server_id uuid not null,
  build_order_id uuid,
  state text not null default 'taking'::text,
  failure_detail text,
  taken_at timestamp with time zone,
  verified_at timestamp with time zone,
  expires_at timestamp with time zone,
  deleted_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  reason text not null default 'last'::text,
  restore_id uuid,
  constraint backups_pkey PRIMARY KEY (id),
  constraint backups_build_order_id_fkey FOREIGN KEY (build_order_id) REFERENCES build_orders(id),
  constraint backups_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint backups_restore_id_fkey FOREIGN KEY (restore_id) REFERENCES restores(id),
  constraint backups_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint backups_cause_check CHECK ((((reason = 'last'::text) = (build_order_id IS NOT NULL)) AND ((reason = 'before_restore'::text) = (restore_id IS NOT NULL)))),
  constraint backups_deleted_check CHECK ((((state = 'deleted'::text) = (deleted_at IS NOT NULL)) AND (deleted_at >= expires_at))),
  constraint backups_failed_check CHECK (((state = 'failed'::text) = (failure_detail IS NOT NULL))),
  constraint backups_kept_check CHECK (((state = ANY (ARRAY['kept'::text, 'deleted'::text])) = (num_nonnulls(taken_at, verified_at, expires_at) = 3))),
  constraint backups_reason_check CHECK ((reason = ANY (ARRAY['last'::text, 'before_restore'::text]))),
  constraint backups_state_check CHECK ((state = ANY (ARRAY['taking'::text, 'kept'::text, 'failed'::text, 'deleted'::text])))
);
CREATE INDEX backups_by_build_order ON public.backups USING btree (build_order_id);
CREATE INDEX backups_by_expiry ON public.backups USING btree (server_id, expires_at) WHERE (state = 'kept'::text);
CREATE UNIQUE INDEX one_backup_before_restore ON public.backups USING btree (restore_id) WHERE (restore_id IS NOT NULL);
CREATE UNIQUE INDEX one_last_backup ON public.backups USING btree (instance_id) WHERE (reason = 'last'::text);

CREATE TABLE balance_movements (
  id uuid not null,
  customer_id uuid not null,
  currency text not null,
  test_clock_id uuid,
  kind text not null,
  amount_minor bigint not null,
  payment_request_id uuid not null,
  reference text,
  actor text not null,
  recorded_at timestamp with time zone not null,
  sent_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint balance_movements_pkey PRIMARY KEY (id),
  constraint balance_movements_payment_request_id_kind_key UNIQUE (payment_request_id, kind),
  constraint balance_movements_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint balance_movements_payment_request_id_fkey FOREIGN KEY (payment_request_id) REFERENCES payment_requests(id),
  constraint balance_movements_test_clock_id_fkey FOREIGN KEY (test_clock_id) REFERENCES test_clocks(id),
  constraint balance_movements_check CHECK (((sent_at IS NULL) OR (kind = 'refund'::text))),
  constraint balance_movements_kind_check CHECK ((kind = ANY (ARRAY['payment'::text, 'refund'::text]))),
  constraint balance_movements_sign_check CHECK (
CASE kind
    WHEN 'payment'::text THEN (amount_minor > 0)
    ELSE (amount_minor < 0)
END)
);
CREATE INDEX balance_movements_by_customer ON public.balance_movements USING btree (customer_id);

CREATE TABLE bill_of_materials (
  kit_id uuid not null,
  position integer not null,
  component_product_id uuid,
  component_kit_id uuid,
  quantity numeric not null,
  sequence integer not null,
  version integer not null,
  constraint bill_of_materials_pkey PRIMARY KEY (kit_id, version, "position"),
  constraint bill_of_materials_component_kit_id_fkey FOREIGN KEY (component_kit_id) REFERENCES kits(id),
  constraint bill_of_materials_component_product_id_fkey FOREIGN KEY (component_product_id) REFERENCES products(id),
  constraint bill_of_materials_kit_id_version_fkey FOREIGN KEY (kit_id, version) REFERENCES kit_versions(kit_id, version),
  constraint bill_of_materials_check CHECK ((num_nonnulls(component_product_id, component_kit_id) = 1)),
  constraint bill_of_materials_check1 CHECK ((component_kit_id <> kit_id)),
  constraint bill_of_materials_quantity_check CHECK ((quantity > (0)::numeric))
);

CREATE TABLE billing_periods (
  document_id uuid not null,
  period_index integer not null,
  period daterange not null,
  invoice_id uuid,
  billed_at timestamp with time zone not null default now(),
  due_on date,
  constraint billing_periods_pkey PRIMARY KEY (document_id, period_index),
  constraint billing_periods_document_id_period_excl EXCLUDE USING gist (document_id WITH =, period WITH &&),
  constraint billing_periods_document_id_fkey FOREIGN KEY (document_id) REFERENCES subscription_documents(id),
  constraint billing_periods_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices(id),
  constraint billing_periods_period_check CHECK ((NOT isempty(period))),
  constraint billing_periods_period_index_check CHECK ((period_index >= 0))
);
CREATE TRIGGER billing_period_immutable BEFORE DELETE OR UPDATE ON public.billing_periods FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER billing_period_kept BEFORE TRUNCATE ON public.billing_periods FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE billing_run_exceptions (
  billing_run_id uuid not null,
  document_id uuid not null,
  outcome text not null,
  reason text not null,
  constraint billing_run_exceptions_pkey PRIMARY KEY (billing_run_id, document_id),
  constraint billing_run_exceptions_billing_run_id_fkey FOREIGN KEY (billing_run_id) REFERENCES billing_runs(id),
  constraint billing_run_exceptions_document_id_fkey FOREIGN KEY (document_id) REFERENCES subscription_documents(id),
  constraint billing_run_exceptions_outcome_check CHECK ((outcome = ANY (ARRAY['waiting'::text, 'parked'::text])))
);

CREATE TABLE billing_runs (
  id uuid not null,
  workflow_id text not null,
  billed_at timestamp with time zone not null,
  considered integer not null default 0,
  billed integer not null default 0,
  waiting integer not null default 0,
  parked integer not null default 0,
  totals jsonb not null default '{}'::jsonb,
  started_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  constraint billing_runs_pkey PRIMARY KEY (id),
  constraint billing_runs_workflow_id_key UNIQUE (workflow_id)
);
CREATE INDEX billing_runs_newest ON public.billing_runs USING btree (started_at DESC);

CREATE TABLE build_commands (
  id uuid not null,
  build_order_id uuid not null,
  kind text not null,
  build_step_id uuid,
  actor text not null,
  reason text,
  asked_at timestamp with time zone not null default now(),
  constraint build_commands_pkey PRIMARY KEY (id),
  constraint build_commands_build_order_id_fkey FOREIGN KEY (build_order_id) REFERENCES build_orders(id),
  constraint build_commands_build_step_id_fkey FOREIGN KEY (build_step_id) REFERENCES build_steps(id),
  constraint build_commands_kind_check CHECK ((kind = ANY (ARRAY['cancel'::text, 'resume'::text, 'skip'::text, 'mark_done'::text]))),
  constraint build_commands_reason CHECK (((kind <> ALL (ARRAY['skip'::text, 'mark_done'::text])) OR (reason IS NOT NULL))),
  constraint build_commands_reason_check CHECK ((reason <> ''::text)),
  constraint build_commands_step CHECK (((kind = 'cancel'::text) = (build_step_id IS NULL)))
);
CREATE INDEX build_commands_by_order ON public.build_commands USING btree (build_order_id);
CREATE UNIQUE INDEX one_decision_per_step ON public.build_commands USING btree (build_step_id) WHERE (kind = ANY (ARRAY['skip'::text, 'mark_done'::text]));

CREATE TABLE build_orders (
  id uuid not null,
  subscription_id uuid not null,
  kind text not null,
  number integer not null,
  state text not null default 'planned'::text,
  failure_code text,
  failure_detail text,
  created_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  begun_at timestamp with time zone,
  constraint build_orders_pkey PRIMARY KEY (id),
  constraint build_orders_subscription_id_kind_number_key UNIQUE (subscription_id, kind, number),
  constraint build_orders_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint build_orders_kind_check CHECK ((kind = ANY (ARRAY['build'::text, 'unbuild'::text]))),
  constraint build_orders_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'running'::text, 'done'::text, 'failed'::text, 'undone'::text])))
);
CREATE UNIQUE INDEX one_open_build_order ON public.build_orders USING btree (subscription_id) WHERE (state = ANY (ARRAY['planned'::text, 'running'::text]));

CREATE TABLE build_steps (
  id uuid not null,
  build_order_id uuid not null,
  instance_id uuid not null,
  server_id uuid not null,
  position integer not null,
  kind text not null,
  name text not null,
  title text not null,
  plan jsonb not null,
  state text not null default 'planned'::text,
  attempt integer not null default 0,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  progress text,
  failure_code text,
  failure_detail text,
  progress_at timestamp with time zone,
  waits_for integer[],
  constraint build_steps_pkey PRIMARY KEY (id),
  constraint build_steps_build_order_id_position_key UNIQUE (build_order_id, "position"),
  constraint build_steps_build_order_id_fkey FOREIGN KEY (build_order_id) REFERENCES build_orders(id),
  constraint build_steps_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint build_steps_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint build_steps_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'running'::text, 'done'::text, 'failed'::text, 'undone'::text])))
);

CREATE TABLE change_requests (
  id uuid not null,
  subscription_id uuid not null,
  subscription_line_id uuid not null,
  first_line_id uuid not null,
  request_id text not null,
  mode text not null,
  asked jsonb not null,
  message text,
  requested_by text not null,
  preview jsonb not null,
  state text not null default 'open'::text,
  decided_by text,
  decided_at timestamp with time zone,
  refused_reason text,
  created_at timestamp with time zone not null default now(),
  constraint change_requests_pkey PRIMARY KEY (id),
  constraint change_requests_request_id_key UNIQUE (request_id),
  constraint change_requests_first_line_id_fkey FOREIGN KEY (first_line_id) REFERENCES subscription_lines(id),
  constraint change_requests_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint change_request_decided CHECK ((((state = 'open'::text) = (decided_at IS NULL)) AND ((decided_at IS NULL) = (decided_by IS NULL)))),
  constraint change_request_refused CHECK (((state = 'refused'::text) = (refused_reason IS NOT NULL))),
  constraint change_requests_mode_check CHECK ((mode = ANY (ARRAY['automatic'::text, 'manual'::text]))),
  constraint change_requests_state_check CHECK ((state = ANY (ARRAY['open'::text, 'applied'::text, 'refused'::text])))
);
CREATE INDEX change_requests_of_subscription ON public.change_requests USING btree (subscription_id, id);
CREATE UNIQUE INDEX one_open_change_request ON public.change_requests USING btree (first_line_id) WHERE (state = 'open'::text);

CREATE TABLE command_notes (
  subscription_id uuid not null,
  request_id text not null,
  actor text not null,
  reason text,
  asked_at timestamp with time zone not null default now(),
  asked jsonb,
  constraint command_notes_pkey PRIMARY KEY (subscription_id, request_id),
  constraint command_notes_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id)
);

CREATE TABLE cost_rules (
  supplier_id uuid not null,
  matches text not null,
  value text not null,
  server_id uuid,
  subscription_id uuid,
  product_id uuid,
  set_by text not null,
  set_at timestamp with time zone not null,
  constraint cost_rules_pkey PRIMARY KEY (supplier_id, matches, value),
  constraint cost_rules_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint cost_rules_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint cost_rules_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint cost_rules_supplier_id_fkey FOREIGN KEY (supplier_id) REFERENCES suppliers(id),
  constraint cost_rules_matches_check CHECK ((matches = ANY (ARRAY['subscription'::text, 'product_code'::text, 'description'::text]))),
  constraint cost_rules_value_check CHECK (((length(value) >= 1) AND (length(value) <= 2000))),
  constraint pays_for_one_thing CHECK ((num_nonnulls(server_id, subscription_id, product_id) = 1))
);

CREATE TABLE customer_balances (
  customer_id uuid not null,
  currency text not null,
  test_clock_id uuid,
  amount_minor bigint not null,
  constraint customer_balances_customer_id_currency_test_clock_id_key UNIQUE NULLS NOT DISTINCT (customer_id, currency, test_clock_id),
  constraint customer_balances_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint customer_balances_test_clock_id_fkey FOREIGN KEY (test_clock_id) REFERENCES test_clocks(id),
  constraint customer_balances_amount_minor_check CHECK ((amount_minor >= 0))
);

CREATE TABLE customers (
  id uuid not null,
  code text not null,
  name text not null,
  email text,
  address text,
  currency text not null,
  time_zone text not null,
  price_list_id uuid,
  created_at timestamp with time zone not null default now(),
  country text,
  region text,
  is_business boolean not null default false,
  tax_id text,
  tax_id_verified_at timestamp with time zone,
  tax_exemption text,
  language text not null default 'en'::text,
  buyer_reference text,
  payment_terms jsonb,
  splits_by_purchase_order boolean not null default false,
  external_id text,
  invoice_note text,
  mail_verified_at timestamp with time zone,
  payer_id uuid,
  constraint customers_pkey PRIMARY KEY (id),
  constraint customers_code_key UNIQUE (code),
  constraint customers_payer_id_fkey FOREIGN KEY (payer_id) REFERENCES customers(id),
  constraint customers_price_list_id_fkey FOREIGN KEY (price_list_id) REFERENCES price_lists(id),
  constraint customers_check CHECK (((tax_id_verified_at IS NULL) OR (tax_id IS NOT NULL))),
  constraint customers_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,39}$'::text)),
  constraint customers_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
  constraint customers_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint customers_external_id_check CHECK ((external_id ~ '^[!-~]{1,100}$'::text)),
  constraint customers_invoice_note_check CHECK (((length(invoice_note) >= 1) AND (length(invoice_note) <= 1000))),
  constraint customers_language_check CHECK ((language ~ '^[a-z]{2}$'::text)),
  constraint payer_is_another CHECK ((payer_id <> id))
);
CREATE INDEX customers_by_payer ON public.customers USING btree (payer_id) WHERE (payer_id IS NOT NULL);
CREATE UNIQUE INDEX customers_external_id ON public.customers USING btree (external_id) WHERE (external_id IS NOT NULL);
CREATE TRIGGER customer_payer AFTER INSERT OR UPDATE OF payer_id ON public.customers FOR EACH ROW WHEN ((new.payer_id IS NOT NULL)) EXECUTE FUNCTION guard_payer();

CREATE TABLE data_sources (
  id uuid not null,
  code text not null,
  kind text not null,
  host text not null,
  port integer not null,
  database_name text,
  username text not null,
  has_tls boolean not null,
  certificate_authority text,
  key_id text not null,
  sealed bytea not null,
  set_at timestamp with time zone not null,
  set_by text not null,
  created_at timestamp with time zone not null default now(),
  constraint data_sources_pkey PRIMARY KEY (id),
  constraint data_sources_code_key UNIQUE (code),
  constraint data_sources_check CHECK (((kind = 'elasticsearch'::text) = (database_name IS NULL))),
  constraint data_sources_check1 CHECK ((has_tls OR (certificate_authority IS NULL))),
  constraint data_sources_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,39}$'::text)),
  constraint data_sources_database_name_check CHECK (((length(database_name) >= 1) AND (length(database_name) <= 63))),
  constraint data_sources_host_check CHECK (((host = lower(host)) AND (host ~ '^[a-z0-9.:-]{1,253}$'::text))),
  constraint data_sources_kind_check CHECK ((kind = ANY (ARRAY['postgresql'::text, 'mysql'::text, 'elasticsearch'::text]))),
  constraint data_sources_port_check CHECK (((port >= 1) AND (port <= 65535))),
  constraint data_sources_username_check CHECK (((length(username) >= 1) AND (length(username) <= 255)))
);

CREATE TABLE deployers (
  id uuid not null,
  code text not null,
  url text not null,
  customer text not null,
  key_id text not null,
  sealed bytea not null,
  set_at timestamp with time zone not null,
  set_by text not null,
  usage_cursor text,
  usage_taken_at timestamp with time zone,
  failing_since timestamp with time zone,
  failure text,
  created_at timestamp with time zone not null default now(),
  usage_reading jsonb,
  constraint deployers_pkey PRIMARY KEY (id),
  constraint deployers_code_key UNIQUE (code),
  constraint deployers_check CHECK (((failing_since IS NULL) = (failure IS NULL))),
  constraint deployers_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,39}$'::text)),
  constraint deployers_customer_check CHECK (((length(customer) >= 1) AND (length(customer) <= 200))),
  constraint deployers_url_check CHECK (((url ~ '^https?://[!-~]+[^/]$'::text) AND (length(url) <= 310))),
  constraint deployers_usage_reading_check CHECK ((jsonb_typeof(usage_reading) = 'object'::text))
);

CREATE TABLE deployments (
  id uuid not null,
  subscription_id uuid not null,
  first_line_id uuid not null,
  deployer_id uuid not null,
  product_there text,
  kit_there text,
  quantity numeric not null,
  state text not null default 'planned'::text,
  subscription_there text,
  phase_there text,
  parked_there text,
  address_there text,
  seen_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint deployments_pkey PRIMARY KEY (id),
  constraint deployments_first_line_id_key UNIQUE (first_line_id),
  constraint one_deployment_there UNIQUE (deployer_id, subscription_there),
  constraint deployments_deployer_id_fkey FOREIGN KEY (deployer_id) REFERENCES deployers(id),
  constraint deployments_first_line_id_fkey FOREIGN KEY (first_line_id) REFERENCES subscription_lines(id),
  constraint deployments_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint deployed_is_known CHECK (((state <> ALL (ARRAY['running'::text, 'stopped'::text])) OR (subscription_there IS NOT NULL))),
  constraint deployments_quantity_check CHECK ((quantity > (0)::numeric)),
  constraint deployments_state_check CHECK ((state = ANY (ARRAY['planned'::text, 'running'::text, 'stopped'::text, 'ended'::text]))),
  constraint one_is_deployed_there CHECK ((num_nonnulls(product_there, kit_there) = 1))
);
CREATE INDEX deployments_subscription_id_idx ON public.deployments USING btree (subscription_id);
CREATE TRIGGER deployment_guarded BEFORE UPDATE ON public.deployments FOR EACH ROW EXECUTE FUNCTION guard_deployment();

CREATE TABLE discounts (
  id uuid not null,
  code text,
  name text not null,
  percent numeric,
  amount_minor bigint,
  currency text,
  scope text not null,
  product_id uuid,
  period_count integer,
  valid_in daterange not null default daterange(NULL::date, NULL::date),
  maximum_uses integer,
  use_count integer not null default 0,
  is_once_per_customer boolean not null default false,
  archived_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint discounts_pkey PRIMARY KEY (id),
  constraint discounts_code_key UNIQUE (code),
  constraint discounts_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint discount_code_used_up CHECK ((use_count <= maximum_uses)),
  constraint discounts_amount_minor_check CHECK ((amount_minor > 0)),
  constraint discounts_check CHECK ((num_nonnulls(percent, amount_minor) = 1)),
  constraint discounts_check1 CHECK (((amount_minor IS NULL) = (currency IS NULL))),
  constraint discounts_code_check CHECK ((code ~ '^[A-Z0-9][A-Z0-9-]{0,39}$'::text)),
  constraint discounts_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint discounts_maximum_uses_check CHECK ((maximum_uses >= 1)),
  constraint discounts_percent_check CHECK (((percent > (0)::numeric) AND (percent <= (100)::numeric))),
  constraint discounts_period_count_check CHECK ((period_count >= 1)),
  constraint discounts_scope_check CHECK ((scope = ANY (ARRAY['line'::text, 'document'::text]))),
  constraint discounts_valid_in_check CHECK ((NOT isempty(valid_in)))
);

CREATE TABLE disputes (
  id uuid not null,
  peer_id uuid not null,
  supplier_invoice_id uuid,
  invoice_id uuid,
  document_id uuid not null,
  number text not null,
  reason text not null,
  lines integer[] not null default '{}'::integer[],
  raised_at timestamp with time zone not null,
  raised_by text,
  withdrawn_at timestamp with time zone,
  withdrawn_by text,
  outcome text,
  answer text,
  answered_at timestamp with time zone,
  answered_by text,
  state text not null default 
CASE
    WHEN (withdrawn_at IS NOT NULL) THEN 'withdrawn'::text
    ELSE COALESCE(outcome, 'open'::text)
END,
  constraint disputes_pkey PRIMARY KEY (id),
  constraint disputes_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices(id),
  constraint disputes_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint disputes_supplier_invoice_id_fkey FOREIGN KEY (supplier_invoice_id) REFERENCES supplier_invoices(id),
  constraint dispute_answered CHECK ((((outcome IS NULL) = (answered_at IS NULL)) AND ((answer IS NULL) OR (outcome IS NOT NULL)) AND ((answered_by IS NULL) OR ((outcome IS NOT NULL) AND (supplier_invoice_id IS NULL))))),
  constraint dispute_of_one_side CHECK ((num_nonnulls(supplier_invoice_id, invoice_id) <= 1)),
  constraint dispute_raised_by CHECK (((supplier_invoice_id IS NULL) = (raised_by IS NULL))),
  constraint dispute_rejected_with_text CHECK (((outcome IS DISTINCT FROM 'rejected'::text) OR (answer IS NOT NULL))),
  constraint dispute_withdrawn_by CHECK (((withdrawn_by IS NOT NULL) = ((withdrawn_at IS NOT NULL) AND (supplier_invoice_id IS NOT NULL)))),
  constraint disputes_answer_check CHECK (((length(answer) >= 1) AND (length(answer) <= 2000))),
  constraint disputes_lines_check CHECK (((cardinality(lines) <= 1000) AND (0 < ALL (lines)))),
  constraint disputes_number_check CHECK (((length(number) >= 1) AND (length(number) <= 100))),
  constraint disputes_outcome_check CHECK ((outcome = ANY (ARRAY['accepted'::text, 'rejected'::text]))),
  constraint disputes_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 2000)))
);
CREATE INDEX disputes_by_invoice ON public.disputes USING btree (invoice_id, id) WHERE (invoice_id IS NOT NULL);
CREATE INDEX disputes_by_supplier_invoice ON public.disputes USING btree (supplier_invoice_id, id) WHERE (supplier_invoice_id IS NOT NULL);
CREATE UNIQUE INDEX one_open_dispute ON public.disputes USING btree (supplier_invoice_id) WHERE ((withdrawn_at IS NULL) AND (outcome IS NULL));
CREATE TRIGGER dispute_kept BEFORE DELETE OR UPDATE ON public.disputes FOR EACH ROW EXECUTE FUNCTION guard_dispute();

CREATE TABLE environments (
  id uuid not null,
  customer_id uuid not null,
  prefix text not null,
  is_default boolean not null default true,
  created_at timestamp with time zone not null default now(),
  name text not null,
  order_id uuid,
  released_at timestamp with time zone,
  constraint environments_pkey PRIMARY KEY (id),
  constraint environments_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint environments_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
  constraint environments_default_stays CHECK (((released_at IS NULL) OR (NOT is_default))),
  constraint environments_name_check CHECK ((name ~ '^[a-z][a-z0-9-]{0,39}$'::text)),
  constraint environments_prefix_check CHECK ((prefix ~ '^[a-z][a-z0-9-]{0,39}$'::text))
);
CREATE INDEX environments_by_customer ON public.environments USING btree (customer_id);
CREATE UNIQUE INDEX environments_name_key ON public.environments USING btree (name) WHERE (released_at IS NULL);
CREATE UNIQUE INDEX environments_prefix_key ON public.environments USING btree (prefix) WHERE (released_at IS NULL);
CREATE UNIQUE INDEX one_default_environment ON public.environments USING btree (customer_id) WHERE is_default;

CREATE TABLE events (
  id bigint not null generated always as identity,
  transaction_id xid8 not null default pg_current_xact_id(),
  kind text not null,
  customer_id uuid,
  subscription_id uuid,
  build_order_id uuid,
  invoice_id uuid,
  data jsonb not null default '{}'::jsonb,
  business_at timestamp with time zone,
  occurred_at timestamp with time zone not null default now(),
  constraint events_pkey PRIMARY KEY (id)
);
CREATE INDEX events_by_build ON public.events USING btree (build_order_id, id) WHERE (build_order_id IS NOT NULL);
CREATE INDEX events_by_order ON public.events USING btree (((data ->> 'order'::text)), id) WHERE (data ? 'order'::text);
CREATE INDEX events_by_subscription ON public.events USING btree (subscription_id, id);
CREATE INDEX events_in_order ON public.events USING btree (transaction_id, id);
CREATE TRIGGER event_announced AFTER INSERT ON public.events FOR EACH STATEMENT EXECUTE FUNCTION announce_event();
CREATE TRIGGER event_immutable BEFORE UPDATE ON public.events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER webhook_deliveries_laid AFTER INSERT ON public.events REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION lay_webhook_deliveries();

CREATE TABLE exchange_rates (
  id uuid not null,
  base text not null,
  quote text not null,
  rate numeric not null,
  source text not null,
  valid_on date not null,
  created_at timestamp with time zone not null default now(),
  constraint exchange_rates_pkey PRIMARY KEY (id),
  constraint exchange_rates_base_check CHECK ((base ~ '^[A-Z]{3}$'::text)),
  constraint exchange_rates_check CHECK ((base <> quote)),
  constraint exchange_rates_quote_check CHECK ((quote ~ '^[A-Z]{3}$'::text)),
  constraint exchange_rates_rate_check CHECK ((rate > (0)::numeric))
);
CREATE INDEX exchange_rates_pair ON public.exchange_rates USING btree (base, quote, valid_on DESC, id DESC);

CREATE TABLE expense_categories (
  id uuid not null,
  code text not null,
  name text not null,
  account text,
  archived_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint expense_categories_pkey PRIMARY KEY (id),
  constraint expense_categories_code_key UNIQUE (code),
  constraint expense_categories_account_check CHECK (((length(account) >= 1) AND (length(account) <= 40))),
  constraint expense_categories_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,59}$'::text)),
  constraint expense_categories_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);

CREATE TABLE expense_mappings (
  supplier_id uuid not null,
  matches text not null,
  value text not null,
  expense_category_id uuid not null,
  agreed_by text not null,
  agreed_at timestamp with time zone not null,
  constraint expense_mappings_pkey PRIMARY KEY (supplier_id, matches, value),
  constraint expense_mappings_expense_category_id_fkey FOREIGN KEY (expense_category_id) REFERENCES expense_categories(id),
  constraint expense_mappings_supplier_id_fkey FOREIGN KEY (supplier_id) REFERENCES suppliers(id),
  constraint expense_mappings_matches_check CHECK ((matches = ANY (ARRAY['product_code'::text, 'description'::text]))),
  constraint expense_mappings_value_check CHECK (((length(value) >= 1) AND (length(value) <= 2000)))
);

CREATE TABLE findings (
  id uuid not null,
  server_id uuid not null,
  instance_id uuid,
  kind text not null,
  severity text not null,
  object_kind text not null,
  object_name text not null,
  detail text not null,
  is_safe boolean not null,
  command text not null,
  found_at timestamp with time zone not null,
  seen_at timestamp with time zone not null,
  settled_at timestamp with time zone,
  constraint findings_pkey PRIMARY KEY (id),
  constraint findings_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint findings_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint findings_check CHECK ((seen_at >= found_at)),
  constraint findings_check1 CHECK ((settled_at >= found_at)),
  constraint findings_kind_check CHECK ((kind = ANY (ARRAY['stopped'::text, 'started'::text, 'unhealthy'::text, 'missing_container'::text, 'missing_volume'::text, 'missing_network'::text, 'wrong_image'::text, 'wrong_configuration'::text, 'foreign'::text, 'orphan'::text, 'ghost'::text]))),
  constraint findings_object_kind_check CHECK ((object_kind = ANY (ARRAY['container'::text, 'volume'::text, 'network'::text]))),
  constraint findings_severity_check CHECK ((severity = ANY (ARRAY['critical'::text, 'warning'::text, 'notice'::text])))
);
CREATE INDEX findings_by_instance ON public.findings USING btree (instance_id) WHERE (settled_at IS NULL);
CREATE UNIQUE INDEX one_open_finding ON public.findings USING btree (server_id, kind, object_kind, object_name) WHERE (settled_at IS NULL);

CREATE TABLE foreign_ports (
  server_id uuid not null,
  port integer not null,
  seen_at timestamp with time zone not null default now(),
  constraint foreign_ports_pkey PRIMARY KEY (server_id, port),
  constraint foreign_ports_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint foreign_ports_port_check CHECK (((port >= 1) AND (port <= 65535)))
);

CREATE TABLE foreign_subnets (
  server_id uuid not null,
  range cidr not null,
  holder text not null,
  is_listed boolean not null,
  seen_at timestamp with time zone not null default now(),
  constraint foreign_subnets_pkey PRIMARY KEY (server_id, range),
  constraint foreign_subnets_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id)
);

CREATE TABLE idempotency_keys (
  principal text not null,
  key text not null,
  method text not null,
  path text not null,
  body_sha256 text not null,
  status integer,
  response jsonb,
  created_at timestamp with time zone not null default now(),
  constraint idempotency_keys_pkey PRIMARY KEY (principal, key),
  constraint idempotency_keys_key_check CHECK ((key ~ '^[\x21-\x7e]{1,255}$'::text))
);

CREATE TABLE installation (
  id uuid not null,
  is_only boolean not null default true,
  seller jsonb not null,
  currency text not null,
  time_zone text not null,
  payment_terms_days integer not null default 14,
  settlement_window_seconds integer not null default 21600,
  sampling_interval_seconds integer not null default 300,
  demo_seeded_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  prices_include_tax boolean not null default false,
  tax_rounding text not null default 'document'::text,
  recurrence_starts text not null default 'activation'::text,
  payment_terms jsonb,
  draft_days integer not null default 0,
  number_patterns jsonb not null default '{"invoice": {"series": "INV", "pattern": "{series}-{number:5}"}, "credit_note": {"series": "CN", "pattern": "{series}-{number:5}"}}'::jsonb,
  announced_fields text[] not null default '{price}'::text[],
  reservation_minutes integer not null default 30,
  unpaid_order_days integer not null default 14,
  unbuilt_payments text not null default 'balance'::text,
  mail_verification text not null default 'shop'::text,
  review_rules jsonb not null default '{}'::jsonb,
  terms_required text not null default 'shop'::text,
  states_tax_in_own_currency boolean not null default false,
  advance_days integer not null default 0,
  backup_retention_days integer not null default 30,
  skips_zero_invoices boolean not null default false,
  tax_determination text not null default 'table'::text,
  server_silence_seconds integer not null default 60,
  usage_late_days integer not null default 100,
  usage_early_seconds integer not null default 300,
  constraint installation_pkey PRIMARY KEY (id),
  constraint installation_is_only_key UNIQUE (is_only),
  constraint advance_days_known CHECK (((advance_days >= 0) AND (advance_days <= 60))),
  constraint installation_announced_fields_check CHECK ((announced_fields <@ '{price,quantity,product,recurrence}'::text[])),
  constraint installation_backup_retention_days_check CHECK (((backup_retention_days >= 1) AND (backup_retention_days <= 3660))),
  constraint installation_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint installation_draft_days_check CHECK (((draft_days >= 0) AND (draft_days <= 30))),
  constraint installation_is_only_check CHECK (is_only),
  constraint installation_mail_verification_check CHECK ((mail_verification = ANY (ARRAY['never'::text, 'shop'::text, 'always'::text]))),
  constraint installation_payment_terms_days_check CHECK (((payment_terms_days >= 0) AND (payment_terms_days <= 365))),
  constraint installation_recurrence_starts_check CHECK ((recurrence_starts = ANY (ARRAY['confirmation'::text, 'first_invoice'::text, 'activation'::text]))),
  constraint installation_reservation_minutes_check CHECK (((reservation_minutes >= 1) AND (reservation_minutes <= 10080))),
  constraint installation_sampling_interval_seconds_check CHECK ((sampling_interval_seconds >= 10)),
  constraint installation_server_silence_seconds_check CHECK (((server_silence_seconds >= 2) AND (server_silence_seconds <= 3600))),
  constraint installation_settlement_window_seconds_check CHECK ((settlement_window_seconds >= 0)),
  constraint installation_tax_determination_check CHECK ((tax_determination = ANY (ARRAY['table'::text, 'service'::text]))),
  constraint installation_tax_rounding_check CHECK ((tax_rounding = ANY (ARRAY['document'::text, 'line'::text]))),
  constraint installation_terms_required_check CHECK ((terms_required = ANY (ARRAY['shop'::text, 'everywhere'::text]))),
  constraint installation_unbuilt_payments_check CHECK ((unbuilt_payments = ANY (ARRAY['balance'::text, 'refund'::text]))),
  constraint installation_unpaid_order_days_check CHECK (((unpaid_order_days >= 1) AND (unpaid_order_days <= 366))),
  constraint installation_usage_early_seconds_check CHECK (((usage_early_seconds >= 0) AND (usage_early_seconds <= 3600))),
  constraint installation_usage_late_days_check CHECK (((usage_late_days >= 1) AND (usage_late_days <= 100)))
);

CREATE TABLE instance_commands (
  instance_id uuid not null,
  request_id text not null,
  kind text not null,
  subject text,
  actor text not null,
  answers jsonb not null default '{}'::jsonb,
  key_id text,
  sealed bytea,
  state text not null default 'asked'::text,
  exit_code integer,
  output text,
  refusal_code text,
  refusal_detail text,
  asked_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  constraint instance_commands_pkey PRIMARY KEY (instance_id, request_id),
  constraint instance_commands_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint instance_commands_answers_check CHECK ((jsonb_typeof(answers) = 'object'::text)),
  constraint instance_commands_finished_check CHECK (((state = ANY (ARRAY['done'::text, 'failed'::text, 'refused'::text])) = (finished_at IS NOT NULL))),
  constraint instance_commands_forgotten_check CHECK (((finished_at IS NULL) OR (sealed IS NULL))),
  constraint instance_commands_kind_check CHECK ((kind = ANY (ARRAY['restart'::text, 'action'::text, 'rotation'::text, 'login'::text]))),
  constraint instance_commands_refused_check CHECK (((state = 'refused'::text) = (refusal_code IS NOT NULL))),
  constraint instance_commands_sealed_check CHECK (((sealed IS NULL) = (key_id IS NULL))),
  constraint instance_commands_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'running'::text, 'done'::text, 'failed'::text, 'refused'::text]))),
  constraint instance_commands_subject_check CHECK (((kind = 'restart'::text) = (subject IS NULL)))
);
CREATE INDEX instance_commands_by_instance ON public.instance_commands USING btree (instance_id, asked_at);

CREATE TABLE instance_images (
  instance_id uuid not null,
  service text not null,
  reference text not null,
  repository_digest text,
  image_id text not null,
  resolved_at timestamp with time zone not null default now(),
  constraint instance_images_pkey PRIMARY KEY (instance_id, service),
  constraint instance_images_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint instance_images_repository_digest_check CHECK ((repository_digest ~ '^sha256:[0-9a-f]{64}$'::text))
);

CREATE TABLE instance_logins (
  id uuid not null,
  instance_id uuid not null,
  token_sha256 bytea not null,
  actor text not null,
  made_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  opened_at timestamp with time zone,
  key_id text,
  sealed bytea,
  constraint instance_logins_pkey PRIMARY KEY (id),
  constraint instance_logins_token_sha256_key UNIQUE (token_sha256),
  constraint instance_logins_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint instance_logins_check CHECK ((expires_at > made_at)),
  constraint instance_logins_opened_check CHECK (((sealed IS NULL) OR (opened_at IS NOT NULL))),
  constraint instance_logins_sealed_check CHECK (((sealed IS NULL) = (key_id IS NULL))),
  constraint instance_logins_token_sha256_check CHECK ((length(token_sha256) = 32))
);

CREATE TABLE instance_values (
  instance_id uuid not null,
  code text not null,
  value numeric not null,
  starts_on date not null,
  recorded_at timestamp with time zone not null,
  recorded_by text not null,
  constraint instance_values_pkey PRIMARY KEY (instance_id, code, starts_on),
  constraint instance_values_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint instance_values_code_check CHECK ((code ~ '^[a-z][a-z0-9_]{0,39}$'::text)),
  constraint instance_values_value_check CHECK ((value >= (0)::numeric))
);

CREATE TABLE instances (
  id uuid not null,
  subscription_id uuid not null,
  environment_id uuid not null,
  server_id uuid not null,
  application_version_id uuid not null,
  sequence integer not null default 0,
  name text not null,
  generation integer not null default 1,
  host_port integer,
  state text not null default 'ordered'::text,
  state_at timestamp with time zone not null default now(),
  destroyed_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  observed_state text,
  observed_at timestamp with time zone,
  variables jsonb not null default '{}'::jsonb,
  restored_from_backup_id uuid,
  display_name text,
  container_limits jsonb not null default '{}'::jsonb,
  service_generations jsonb not null default '{}'::jsonb,
  observed_differences jsonb not null default '[]'::jsonb,
  placed_because text,
  observed_containers jsonb not null default '[]'::jsonb,
  parent_instance_id uuid,
  constraint instances_pkey PRIMARY KEY (id),
  constraint instances_application_version_id_fkey FOREIGN KEY (application_version_id) REFERENCES application_versions(id),
  constraint instances_environment_id_fkey FOREIGN KEY (environment_id) REFERENCES environments(id),
  constraint instances_parent_instance_id_fkey FOREIGN KEY (parent_instance_id) REFERENCES instances(id) DEFERRABLE INITIALLY DEFERRED,
  constraint instances_restored_from_backup_id_fkey FOREIGN KEY (restored_from_backup_id) REFERENCES backups(id),
  constraint instances_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint instances_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint instances_check CHECK (((state = 'destroyed'::text) = (destroyed_at IS NOT NULL))),
  constraint instances_container_limits_check CHECK ((jsonb_typeof(container_limits) = 'object'::text)),
  constraint instances_display_name_check CHECK (((length(display_name) >= 1) AND (length(display_name) <= 100))),
  constraint instances_name_check CHECK ((name ~ '^[a-z][a-z0-9-]{0,62}$'::text)),
  constraint instances_observed_containers_check CHECK ((jsonb_typeof(observed_containers) = 'array'::text)),
  constraint instances_observed_differences_check CHECK ((jsonb_typeof(observed_differences) = 'array'::text)),
  constraint instances_observed_state_check CHECK ((observed_state = ANY (ARRAY['running'::text, 'starting'::text, 'degraded'::text, 'stopped'::text, 'absent'::text]))),
  constraint instances_placed_because_check CHECK ((length(placed_because) <= 500)),
  constraint instances_service_generations_check CHECK ((jsonb_typeof(service_generations) = 'object'::text)),
  constraint instances_state_check CHECK ((state = ANY (ARRAY['ordered'::text, 'building'::text, 'running'::text, 'limited'::text, 'suspended'::text, 'cancelling'::text, 'destroyed'::text, 'failed'::text]))),
  constraint observed_at_an_instant CHECK (((observed_state IS NULL) = (observed_at IS NULL))),
  constraint part_of_another CHECK ((parent_instance_id <> id))
);
CREATE INDEX instances_by_backup ON public.instances USING btree (restored_from_backup_id) WHERE (restored_from_backup_id IS NOT NULL);
CREATE INDEX instances_by_parent ON public.instances USING btree (parent_instance_id) WHERE (parent_instance_id IS NOT NULL);
CREATE INDEX instances_by_subscription ON public.instances USING btree (subscription_id);
CREATE UNIQUE INDEX one_live_instance_per_name ON public.instances USING btree (server_id, name) WHERE (destroyed_at IS NULL);
CREATE UNIQUE INDEX one_live_instance_per_port ON public.instances USING btree (server_id, host_port) WHERE (destroyed_at IS NULL);
CREATE TRIGGER instance_release AFTER UPDATE OF destroyed_at ON public.instances FOR EACH ROW WHEN (((old.destroyed_at IS NULL) AND (new.destroyed_at IS NOT NULL))) EXECUTE FUNCTION release_reservation();
CREATE TRIGGER instance_state BEFORE UPDATE ON public.instances FOR EACH ROW EXECUTE FUNCTION check_instance_state();
CREATE TRIGGER instance_taken_over AFTER UPDATE OF destroyed_at ON public.instances FOR EACH ROW WHEN (((old.destroyed_at IS NULL) AND (new.destroyed_at IS NOT NULL))) EXECUTE FUNCTION release_taken_over();

CREATE TABLE invoice_files (
  invoice_id uuid not null,
  kind text not null,
  language text,
  sha256 bytea not null,
  content bytea not null,
  made_at timestamp with time zone not null default now(),
  constraint invoice_files_pkey PRIMARY KEY (invoice_id, kind),
  constraint invoice_files_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices(id),
  constraint invoice_files_kind_check CHECK ((kind = ANY (ARRAY['pdf'::text, 'ubl'::text]))),
  constraint printed_in_a_language CHECK (((kind = 'pdf'::text) = (language IS NOT NULL)))
);
CREATE TRIGGER invoice_file_immutable BEFORE DELETE OR UPDATE ON public.invoice_files FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_file_kept BEFORE TRUNCATE ON public.invoice_files FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE invoice_lines (
  id uuid not null,
  invoice_id uuid not null,
  position integer not null,
  kind text not null,
  subscription_line_id uuid,
  subscription_id uuid,
  product_id uuid,
  instance_id uuid,
  usage_window_id uuid,
  description text not null,
  billing_type text not null,
  quantity numeric not null,
  unit text not null,
  unit_price numeric,
  service_period daterange,
  amount_minor bigint not null,
  explanation jsonb not null,
  revision integer not null default 0,
  one_off_charge_id uuid,
  credits_line_id uuid,
  rated_minor bigint not null,
  discount_minor bigint not null default 0,
  tax_category text not null default 'standard'::text,
  tax_rate_percent numeric not null default 0,
  tax_minor bigint not null default 0,
  is_text boolean not null default false,
  constraint invoice_lines_pkey PRIMARY KEY (id),
  constraint invoice_lines_invoice_id_position_key UNIQUE (invoice_id, "position"),
  constraint charged_once EXCLUDE USING gist (subscription_line_id WITH =, kind WITH =, revision WITH =, service_period WITH &&) WHERE ((kind = ANY (ARRAY['recurring'::text, 'usage'::text, 'credit'::text, 'true_up'::text]))),
  constraint invoice_lines_credits_line_id_fkey FOREIGN KEY (credits_line_id) REFERENCES invoice_lines(id),
  constraint invoice_lines_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint invoice_lines_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices(id),
  constraint invoice_lines_one_off_charge_id_fkey FOREIGN KEY (one_off_charge_id) REFERENCES one_off_charges(id),
  constraint invoice_lines_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint invoice_lines_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint invoice_lines_subscription_line_id_fkey FOREIGN KEY (subscription_line_id) REFERENCES subscription_lines(id),
  constraint invoice_lines_usage_window_id_fkey FOREIGN KEY (usage_window_id) REFERENCES usage_windows(id),
  constraint invoice_lines_check CHECK (((kind = ANY (ARRAY['one_time'::text, 'one_off'::text, 'correction'::text])) OR ((service_period IS NOT NULL) AND (NOT isempty(service_period))))),
  constraint invoice_lines_check1 CHECK (((kind = ANY (ARRAY['one_off'::text, 'correction'::text])) OR (num_nonnulls(subscription_line_id, subscription_id, product_id) = 3))),
  constraint invoice_lines_check2 CHECK (((kind = 'one_off'::text) = (one_off_charge_id IS NOT NULL))),
  constraint invoice_lines_check3 CHECK (((kind = 'correction'::text) <= (credits_line_id IS NOT NULL))),
  constraint invoice_lines_check4 CHECK (((kind = ANY (ARRAY['usage'::text, 'late_usage'::text])) OR (usage_window_id IS NULL))),
  constraint invoice_lines_check5 CHECK ((((rated_minor - discount_minor) = amount_minor) OR ((rated_minor - discount_minor) = (amount_minor + tax_minor)))),
  constraint invoice_lines_kind_check CHECK ((kind = ANY (ARRAY['one_time'::text, 'recurring'::text, 'usage'::text, 'credit'::text, 'late_usage'::text, 'true_up'::text, 'one_off'::text, 'correction'::text]))),
  constraint text_comes_to_nothing CHECK (((NOT is_text) OR ((kind = 'one_off'::text) AND (unit_price IS NULL) AND (rated_minor = 0) AND (discount_minor = 0) AND (amount_minor = 0) AND (tax_minor = 0))))
);
CREATE INDEX invoice_lines_by_credit ON public.invoice_lines USING btree (credits_line_id) WHERE (credits_line_id IS NOT NULL);
CREATE INDEX invoice_lines_by_line ON public.invoice_lines USING btree (subscription_line_id, upper(service_period));
CREATE INDEX invoice_lines_by_subscription ON public.invoice_lines USING btree (subscription_id);
CREATE UNIQUE INDEX one_off_charge_once ON public.invoice_lines USING btree (one_off_charge_id, revision) WHERE (kind = 'one_off'::text);
CREATE UNIQUE INDEX one_time_fee_once ON public.invoice_lines USING btree (subscription_line_id, revision) WHERE (kind = 'one_time'::text);
CREATE TRIGGER billed_elsewhere AFTER INSERT ON public.invoice_lines REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_billed_elsewhere();
CREATE TRIGGER credit_within_line AFTER INSERT ON public.invoice_lines FOR EACH ROW WHEN ((new.credits_line_id IS NOT NULL)) EXECUTE FUNCTION guard_correction();
CREATE TRIGGER invoice_line_added AFTER INSERT ON public.invoice_lines REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION guard_invoice_parts();
CREATE TRIGGER invoice_line_changed AFTER UPDATE ON public.invoice_lines REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION guard_invoice_parts();
CREATE TRIGGER invoice_line_kept BEFORE TRUNCATE ON public.invoice_lines FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_line_moved AFTER UPDATE ON public.invoice_lines REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION guard_invoice_parts();
CREATE TRIGGER invoice_line_removed AFTER DELETE ON public.invoice_lines REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION guard_invoice_parts();

CREATE TABLE invoice_marks (
  id uuid not null,
  invoice_id uuid not null,
  kind text not null,
  reason text not null,
  actor text not null,
  marked_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint invoice_marks_pkey PRIMARY KEY (id),
  constraint invoice_marks_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices(id),
  constraint invoice_marks_check CHECK (((kind = 'uncollectible'::text) OR (ended_at IS NULL))),
  constraint invoice_marks_kind_check CHECK ((kind = ANY (ARRAY['void'::text, 'uncollectible'::text])))
);
CREATE UNIQUE INDEX one_mark ON public.invoice_marks USING btree (invoice_id, kind) WHERE (ended_at IS NULL);

CREATE TABLE invoice_taxes (
  invoice_id uuid not null,
  position integer not null,
  category text not null,
  name text not null,
  rate_percent numeric not null,
  base_minor bigint not null,
  tax_minor bigint not null,
  note text,
  constraint invoice_taxes_pkey PRIMARY KEY (invoice_id, "position"),
  constraint invoice_taxes_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices(id),
  constraint invoice_taxes_rate_percent_check CHECK (((rate_percent >= (0)::numeric) AND (rate_percent <= (100)::numeric)))
);
CREATE TRIGGER invoice_tax_added AFTER INSERT ON public.invoice_taxes REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION guard_invoice_parts();
CREATE TRIGGER invoice_tax_changed AFTER UPDATE ON public.invoice_taxes REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION guard_invoice_parts();
CREATE TRIGGER invoice_tax_kept BEFORE TRUNCATE ON public.invoice_taxes FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_tax_moved AFTER UPDATE ON public.invoice_taxes REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION guard_invoice_parts();
CREATE TRIGGER invoice_tax_removed AFTER DELETE ON public.invoice_taxes REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION guard_invoice_parts();

CREATE TABLE invoices (
  id uuid not null,
  kind text not null,
  billing_key text not null,
  customer_id uuid not null,
  document_id uuid,
  subscription_id uuid,
  test_clock_id uuid,
  currency text not null,
  issued_on date not null,
  due_on date not null,
  net_minor bigint not null,
  tax_minor bigint not null default 0,
  total_minor bigint not null,
  seller jsonb not null,
  buyer jsonb not null,
  series text,
  sequence integer,
  number text,
  finalized_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  revision integer not null default 0,
  reissue_of_id uuid,
  corrects_id uuid,
  finalize_on date,
  instalments jsonb,
  are_prices_inclusive boolean not null default false,
  tax_rounding text not null default 'document'::text,
  purchase_order_reference text,
  previous_hash bytea,
  hash bytea,
  served_customer_id uuid,
  stated_tax jsonb,
  skipped_at timestamp with time zone,
  constraint invoices_pkey PRIMARY KEY (id),
  constraint invoices_billing_key_key UNIQUE (billing_key),
  constraint invoices_number_key UNIQUE (number),
  constraint invoices_series_sequence_key UNIQUE (series, sequence),
  constraint invoices_corrects_id_fkey FOREIGN KEY (corrects_id) REFERENCES invoices(id),
  constraint invoices_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint invoices_document_id_fkey FOREIGN KEY (document_id) REFERENCES subscription_documents(id),
  constraint invoices_reissue_of_id_fkey FOREIGN KEY (reissue_of_id) REFERENCES invoices(id),
  constraint invoices_served_customer_id_fkey FOREIGN KEY (served_customer_id) REFERENCES customers(id),
  constraint invoices_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint invoices_test_clock_id_fkey FOREIGN KEY (test_clock_id) REFERENCES test_clocks(id),
  constraint corrects_another CHECK ((corrects_id <> id)),
  constraint invoices_check CHECK (((net_minor + tax_minor) = total_minor)),
  constraint invoices_check1 CHECK (((finalized_at IS NULL) = (number IS NULL))),
  constraint invoices_check2 CHECK (((finalized_at IS NULL) = (sequence IS NULL))),
  constraint invoices_check3 CHECK ((due_on >= issued_on)),
  constraint invoices_check4 CHECK (((hash IS NULL) OR (finalized_at IS NOT NULL))),
  constraint invoices_kind_check CHECK ((kind = ANY (ARRAY['invoice'::text, 'credit_note'::text]))),
  constraint invoices_stated_tax_check CHECK ((stated_tax ?& ARRAY['currency'::text, 'taxMinor'::text, 'rate'::text])),
  constraint invoices_tax_rounding_check CHECK ((tax_rounding = ANY (ARRAY['document'::text, 'line'::text]))),
  constraint invoices_total_minor_check CHECK ((total_minor >= 0)),
  constraint served_is_another CHECK ((served_customer_id <> customer_id)),
  constraint skipped_of_nothing CHECK (((skipped_at IS NULL) OR ((finalized_at IS NULL) AND (finalize_on IS NULL) AND (kind = 'invoice'::text) AND (total_minor = 0))))
);
CREATE INDEX invoices_by_correction ON public.invoices USING btree (corrects_id) WHERE (corrects_id IS NOT NULL);
CREATE INDEX invoices_by_customer ON public.invoices USING btree (customer_id, id DESC);
CREATE INDEX invoices_by_document ON public.invoices USING btree (document_id);
CREATE INDEX invoices_by_served_customer ON public.invoices USING btree (served_customer_id, id DESC) WHERE (served_customer_id IS NOT NULL);
CREATE INDEX invoices_in_draft ON public.invoices USING btree (finalize_on) WHERE ((finalized_at IS NULL) AND (finalize_on IS NOT NULL));
CREATE TRIGGER invoice_adds_up AFTER UPDATE ON public.invoices REFERENCING NEW TABLE AS finalized FOR EACH STATEMENT EXECUTE FUNCTION guard_invoice_totals();
CREATE TRIGGER invoice_draft_first BEFORE INSERT ON public.invoices FOR EACH ROW EXECUTE FUNCTION guard_invoice_insert();
CREATE TRIGGER invoice_finalized BEFORE DELETE OR UPDATE ON public.invoices FOR EACH ROW EXECUTE FUNCTION guard_invoice_change();
CREATE TRIGGER invoice_kept BEFORE TRUNCATE ON public.invoices FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER number_given_before BEFORE UPDATE OF number ON public.invoices FOR EACH ROW EXECUTE FUNCTION refuse_lost_number();

CREATE TABLE kit_versions (
  kit_id uuid not null,
  version integer not null,
  effective_on date,
  name text not null,
  price_product_id uuid,
  created_at timestamp with time zone not null default now(),
  constraint kit_versions_pkey PRIMARY KEY (kit_id, version),
  constraint kit_versions_kit_id_fkey FOREIGN KEY (kit_id) REFERENCES kits(id),
  constraint kit_versions_price_product_id_fkey FOREIGN KEY (price_product_id) REFERENCES products(id),
  constraint first_kit_version_holds_always CHECK (((version = 1) = (effective_on IS NULL))),
  constraint kit_versions_version_check CHECK ((version >= 1))
);
CREATE TRIGGER kit_version_immutable BEFORE UPDATE ON public.kit_versions FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE kits (
  id uuid not null,
  code text not null,
  archived_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  is_hidden boolean not null default false,
  constraint kits_pkey PRIMARY KEY (id),
  constraint kits_code_key UNIQUE (code),
  constraint kits_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,59}$'::text))
);

CREATE TABLE late_usage_events (
  usage_event_id uuid not null,
  subscription_line_id uuid not null,
  usage_window_id uuid,
  constraint late_usage_events_pkey PRIMARY KEY (usage_event_id, subscription_line_id),
  constraint late_usage_events_subscription_line_id_fkey FOREIGN KEY (subscription_line_id) REFERENCES subscription_lines(id),
  constraint late_usage_events_usage_event_id_fkey FOREIGN KEY (usage_event_id) REFERENCES usage_events(id),
  constraint late_usage_events_usage_window_id_fkey FOREIGN KEY (usage_window_id) REFERENCES usage_windows(id)
);
CREATE INDEX late_usage_events_by_window ON public.late_usage_events USING btree (usage_window_id) WHERE (usage_window_id IS NOT NULL);
CREATE INDEX late_usage_events_waiting ON public.late_usage_events USING btree (subscription_line_id) WHERE (usage_window_id IS NULL);

CREATE TABLE limit_commands (
  id uuid not null,
  instance_id uuid not null,
  limit_code text not null,
  quantity numeric not null,
  command text[] not null,
  exit_code integer,
  answer text,
  read_back text,
  duration_ms integer,
  sent_at timestamp with time zone not null default now(),
  constraint limit_commands_pkey PRIMARY KEY (id),
  constraint limit_commands_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id)
);
CREATE INDEX limit_commands_by_instance ON public.limit_commands USING btree (instance_id, sent_at);

CREATE TABLE limits (
  instance_id uuid not null,
  code text not null,
  sold_quantity numeric not null,
  in_force_quantity numeric,
  in_force_at timestamp with time zone,
  enforcement text not null default 'hard'::text,
  unit text,
  used_quantity numeric,
  used_at timestamp with time zone,
  reached_at timestamp with time zone,
  hold jsonb,
  held_at timestamp with time zone,
  hold_failure text,
  not_in_force_since timestamp with time zone,
  constraint limits_pkey PRIMARY KEY (instance_id, code),
  constraint limits_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint limits_enforcement_check CHECK ((enforcement = ANY (ARRAY['hard'::text, 'throttle'::text, 'soft'::text]))),
  constraint limits_held_check CHECK (((hold IS NOT NULL) OR (num_nonnulls(held_at, hold_failure) = 0))),
  constraint limits_hold_check CHECK (((hold IS NULL) OR (reached_at IS NOT NULL))),
  constraint limits_in_force_check CHECK (((not_in_force_since IS NULL) OR (in_force_quantity IS NULL))),
  constraint limits_used_check CHECK (((used_quantity IS NULL) = (used_at IS NULL))),
  constraint limits_used_quantity_check CHECK ((used_quantity >= (0)::numeric))
);
CREATE INDEX limits_not_in_force ON public.limits USING btree (instance_id) WHERE (not_in_force_since IS NOT NULL);
CREATE INDEX limits_reached ON public.limits USING btree (instance_id) WHERE (reached_at IS NOT NULL);

CREATE TABLE links (
  id uuid not null,
  wanting_instance_id uuid not null,
  name text not null,
  kind text not null,
  is_required boolean not null,
  offering_instance_id uuid,
  reason text,
  state text not null,
  made_at timestamp with time zone,
  taken_back_at timestamp with time zone,
  failure_detail text,
  created_at timestamp with time zone not null default now(),
  constraint links_pkey PRIMARY KEY (id),
  constraint links_offering_instance_id_fkey FOREIGN KEY (offering_instance_id) REFERENCES instances(id),
  constraint links_wanting_instance_id_fkey FOREIGN KEY (wanting_instance_id) REFERENCES instances(id),
  constraint links_check CHECK ((offering_instance_id <> wanting_instance_id)),
  constraint links_made_check CHECK (((state <> 'made'::text) OR (made_at IS NOT NULL))),
  constraint links_offer_check CHECK (((offering_instance_id IS NULL) = (reason IS NULL))),
  constraint links_offered_check CHECK (((state <> ALL (ARRAY['planned'::text, 'made'::text])) OR (offering_instance_id IS NOT NULL))),
  constraint links_reason_check CHECK ((reason = ANY (ARRAY['named'::text, 'same_subscription'::text, 'same_environment'::text, 'preferred'::text, 'shared'::text]))),
  constraint links_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'planned'::text, 'made'::text, 'taken_back'::text]))),
  constraint links_taken_back_check CHECK (((state <> 'taken_back'::text) OR (taken_back_at IS NOT NULL))),
  constraint links_waiting_check CHECK (((state <> 'waiting'::text) OR ((offering_instance_id IS NULL) AND (NOT is_required))))
);
CREATE INDEX links_by_offer ON public.links USING btree (offering_instance_id) WHERE (offering_instance_id IS NOT NULL);
CREATE INDEX links_to_make ON public.links USING btree (created_at) WHERE (state = ANY (ARRAY['waiting'::text, 'planned'::text]));
CREATE UNIQUE INDEX one_link_per_want ON public.links USING btree (wanting_instance_id, name);

CREATE TABLE log_excerpts (
  request_id text not null,
  instance_id uuid not null,
  asked jsonb not null,
  lines jsonb,
  created_at timestamp with time zone not null default now(),
  constraint log_excerpts_pkey PRIMARY KEY (request_id)
);

CREATE TABLE login_links (
  token_sha256 bytea not null,
  operator_id uuid not null,
  expires_at timestamp with time zone not null,
  consumed_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint login_links_pkey PRIMARY KEY (token_sha256),
  constraint login_links_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operators(id)
);

CREATE TABLE lost_documents (
  id uuid not null,
  peer_id uuid not null,
  document_id uuid not null,
  kind text not null,
  number text not null,
  currency text not null,
  issued_on date not null,
  total_minor bigint not null,
  sha256 bytea not null,
  content jsonb not null,
  series text,
  sequence integer,
  found_at timestamp with time zone not null,
  settlement text,
  settled_at timestamp with time zone,
  settled_by text,
  reason text,
  constraint lost_documents_pkey PRIMARY KEY (id),
  constraint lost_once UNIQUE (peer_id, document_id),
  constraint lost_documents_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint lost_documents_kind_check CHECK ((kind = ANY (ARRAY['invoice'::text, 'credit_note'::text]))),
  constraint lost_documents_sequence_check CHECK ((sequence >= 1)),
  constraint lost_documents_settlement_check CHECK ((settlement = ANY (ARRAY['kept'::text, 'dismissed'::text]))),
  constraint lost_documents_sha256_check CHECK ((length(sha256) = 32)),
  constraint number_of_a_series CHECK (((series IS NULL) = (sequence IS NULL))),
  constraint settled_by_somebody CHECK ((((settlement IS NULL) = (settled_at IS NULL)) AND ((settlement IS NULL) = (settled_by IS NULL)) AND ((settlement IS NULL) = (reason IS NULL))))
);
CREATE INDEX lost_documents_by_number ON public.lost_documents USING btree (number);
CREATE INDEX lost_documents_unsettled ON public.lost_documents USING btree (series) WHERE (settlement IS NULL);
CREATE TRIGGER lost_document_kept BEFORE DELETE OR UPDATE ON public.lost_documents FOR EACH ROW EXECUTE FUNCTION guard_lost_document();

CREATE TABLE mail_verifications (
  id uuid not null,
  customer_id uuid not null,
  email text not null,
  token_sha256 bytea not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint mail_verifications_pkey PRIMARY KEY (id),
  constraint mail_verifications_token_sha256_key UNIQUE (token_sha256),
  constraint mail_verifications_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id)
);
CREATE INDEX mail_verifications_by_customer ON public.mail_verifications USING btree (customer_id);

CREATE TABLE metric_failures (
  instance_id uuid not null,
  metric text not null,
  detail text not null,
  failing_since timestamp with time zone not null,
  failed_at timestamp with time zone not null,
  failures integer not null default 1,
  code text,
  constraint metric_failures_pkey PRIMARY KEY (instance_id, metric),
  constraint metric_failures_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint metric_failures_check CHECK ((failed_at >= failing_since)),
  constraint metric_failures_code_check CHECK ((code ~ '^[a-z][a-z_]{0,59}$'::text)),
  constraint metric_failures_failures_check CHECK ((failures > 0))
);

CREATE TABLE metric_looks (
  instance_id uuid not null,
  metric text not null,
  looked_at timestamp with time zone not null,
  constraint metric_looks_pkey PRIMARY KEY (instance_id, metric),
  constraint metric_looks_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id)
);

CREATE TABLE metrics (
  id uuid not null,
  code text not null,
  title text not null,
  unit text not null,
  kind text not null,
  aggregation text not null,
  percent numeric,
  bucket_seconds integer,
  rounding jsonb,
  level text not null,
  source_type text,
  needs_history boolean not null default false,
  archived_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint metrics_pkey PRIMARY KEY (id),
  constraint metrics_code_key UNIQUE (code),
  constraint metrics_bucket_seconds_check CHECK ((bucket_seconds >= 10)),
  constraint metrics_check CHECK (((aggregation = 'percentile'::text) = (percent IS NOT NULL))),
  constraint metrics_check1 CHECK (((aggregation = 'bucket_max'::text) = (bucket_seconds IS NOT NULL))),
  constraint metrics_check2 CHECK (((kind = 'gauge'::text) OR (aggregation = ANY (ARRAY['sum'::text, 'count'::text, 'unique_count'::text])))),
  constraint metrics_check3 CHECK (((kind <> 'event'::text) OR (source_type = 'pushed'::text))),
  constraint metrics_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,39}$'::text)),
  constraint metrics_kind_check CHECK ((kind = ANY (ARRAY['counter'::text, 'gauge'::text, 'event'::text]))),
  constraint metrics_level_check CHECK ((level = ANY (ARRAY['container'::text, 'volume'::text, 'instance'::text, 'environment'::text, 'customer'::text]))),
  constraint metrics_percent_check CHECK (((percent > (0)::numeric) AND (percent <= (100)::numeric))),
  constraint metrics_source_type_check CHECK ((source_type ~ '^[a-z][a-z-]{0,39}$'::text)),
  constraint metrics_title_check CHECK (((length(title) >= 1) AND (length(title) <= 100)))
);
CREATE TRIGGER metric_measure_fixed BEFORE UPDATE ON public.metrics FOR EACH ROW EXECUTE FUNCTION refuse_changed_measure();

CREATE TABLE missing_supplier_invoices (
  id uuid not null,
  supplier_subscription_id uuid not null,
  expected_on date not null,
  missed_at timestamp with time zone not null,
  constraint missing_supplier_invoices_pkey PRIMARY KEY (id),
  constraint missed_once UNIQUE (supplier_subscription_id, expected_on),
  constraint missing_supplier_invoices_supplier_subscription_id_fkey FOREIGN KEY (supplier_subscription_id) REFERENCES supplier_subscriptions(id)
);

CREATE TABLE number_series (
  code text not null,
  next_number integer not null default 1,
  last_hash bytea,
  last_issued_on date,
  constraint number_series_pkey PRIMARY KEY (code),
  constraint number_series_next_number_check CHECK ((next_number >= 1))
);

CREATE TABLE one_off_charges (
  id uuid not null,
  customer_id uuid not null,
  subscription_id uuid,
  test_clock_id uuid,
  product_id uuid,
  currency text not null,
  description text not null,
  quantity numeric not null,
  unit text not null,
  price jsonb not null,
  tax_category text not null default 'standard'::text,
  reference text,
  charged_on date not null,
  withdrawn_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  is_text boolean not null default false,
  constraint one_off_charges_pkey PRIMARY KEY (id),
  constraint one_off_charges_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint one_off_charges_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint one_off_charges_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint one_off_charges_test_clock_id_fkey FOREIGN KEY (test_clock_id) REFERENCES test_clocks(id),
  constraint one_off_charges_quantity_check CHECK ((quantity > (0)::numeric)),
  constraint text_costs_nothing CHECK (((NOT is_text) OR ((quantity = (1)::numeric) AND (product_id IS NULL) AND (price = '{"model": "per_unit", "unitAmount": "0"}'::jsonb))))
);
CREATE INDEX one_off_charges_waiting ON public.one_off_charges USING btree (customer_id) WHERE (withdrawn_at IS NULL);
CREATE TRIGGER billed_elsewhere AFTER INSERT ON public.one_off_charges REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_billed_elsewhere();

CREATE TABLE operators (
  id uuid not null,
  name text not null,
  created_at timestamp with time zone not null default now(),
  constraint operators_pkey PRIMARY KEY (id),
  constraint operators_name_key UNIQUE (name)
);

CREATE TABLE order_holds (
  id uuid not null,
  order_id uuid not null,
  kind text not null,
  rule text,
  detail text not null,
  opened_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  settled_at timestamp with time zone,
  outcome text,
  settled_by text,
  reason text,
  created_at timestamp with time zone not null default now(),
  constraint order_holds_pkey PRIMARY KEY (id),
  constraint order_holds_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
  constraint order_holds_check CHECK ((expires_at > opened_at)),
  constraint order_holds_end_check CHECK ((num_nonnulls(settled_at, outcome, settled_by) = ANY (ARRAY[0, 3]))),
  constraint order_holds_kind_check CHECK ((kind = ANY (ARRAY['payment'::text, 'acceptance'::text, 'review'::text, 'mail_verification'::text]))),
  constraint order_holds_outcome_check CHECK ((outcome = ANY (ARRAY['released'::text, 'refused'::text, 'expired'::text, 'withdrawn'::text])))
);
CREATE UNIQUE INDEX one_open_hold ON public.order_holds USING btree (order_id, kind) WHERE (settled_at IS NULL);
CREATE INDEX order_holds_by_order ON public.order_holds USING btree (order_id);

CREATE TABLE order_lines (
  id uuid not null,
  order_id uuid not null,
  position integer not null,
  product_id uuid,
  kit_id uuid,
  quantity numeric not null,
  subscription_id uuid,
  external_id text,
  answers jsonb not null default '{"fields": {}, "options": {}}'::jsonb,
  agreed jsonb not null default '{}'::jsonb,
  preferred_server_id uuid,
  constraint order_lines_pkey PRIMARY KEY (id),
  constraint order_lines_order_id_position_key UNIQUE (order_id, "position"),
  constraint order_lines_kit_id_fkey FOREIGN KEY (kit_id) REFERENCES kits(id),
  constraint order_lines_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
  constraint order_lines_preferred_server_id_fkey FOREIGN KEY (preferred_server_id) REFERENCES servers(id),
  constraint order_lines_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint order_lines_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint order_lines_agreed_check CHECK ((jsonb_typeof(agreed) = 'object'::text)),
  constraint order_lines_check CHECK ((num_nonnulls(product_id, kit_id) = 1)),
  constraint order_lines_external_id_check CHECK ((external_id ~ '^[!-~]{1,100}$'::text)),
  constraint order_lines_quantity_check CHECK ((quantity > (0)::numeric))
);

CREATE TABLE order_secrets (
  order_line_id uuid not null,
  field text not null,
  key_id text not null,
  sealed bytea not null,
  constraint order_secrets_pkey PRIMARY KEY (order_line_id, field),
  constraint order_secrets_order_line_id_fkey FOREIGN KEY (order_line_id) REFERENCES order_lines(id) ON DELETE CASCADE
);

CREATE TABLE orders (
  id uuid not null,
  customer_id uuid not null,
  test_clock_id uuid,
  currency text not null,
  channel text not null,
  actor text not null,
  confirmed_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  cancelled_at timestamp with time zone,
  expires_on date,
  quote jsonb,
  external_id text,
  expired_at timestamp with time zone,
  terms_version integer,
  terms_accepted_at timestamp with time zone,
  terms_accepted_by text,
  constraint orders_pkey PRIMARY KEY (id),
  constraint orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint orders_terms_version_fkey FOREIGN KEY (terms_version) REFERENCES service_terms(version),
  constraint orders_test_clock_id_fkey FOREIGN KEY (test_clock_id) REFERENCES test_clocks(id),
  constraint orders_check1 CHECK ((num_nonnulls(expires_on, quote) = ANY (ARRAY[0, 2]))),
  constraint orders_check2 CHECK (((confirmed_at IS NOT NULL) OR (quote IS NOT NULL))),
  constraint orders_end_check CHECK ((num_nonnulls(cancelled_at, expired_at) <= 1)),
  constraint orders_expired_check CHECK (((expired_at IS NULL) OR (confirmed_at IS NOT NULL))),
  constraint orders_external_id_check CHECK ((external_id ~ '^[!-~]{1,100}$'::text)),
  constraint orders_terms_check CHECK ((num_nonnulls(terms_version, terms_accepted_at, terms_accepted_by) = ANY (ARRAY[0, 3])))
);
CREATE INDEX orders_by_customer ON public.orders USING btree (customer_id, id DESC);
CREATE UNIQUE INDEX orders_external_id ON public.orders USING btree (external_id) WHERE (external_id IS NOT NULL);

CREATE TABLE outbox (
  id bigint not null generated always as identity,
  kind text not null,
  key text not null,
  payload jsonb not null,
  created_at timestamp with time zone not null default now(),
  attempts integer not null default 0,
  last_error text,
  try_after timestamp with time zone not null default now(),
  done_at timestamp with time zone,
  constraint outbox_pkey PRIMARY KEY (id),
  constraint outbox_key_key UNIQUE (key),
  constraint outbox_kind_check CHECK ((kind = ANY (ARRAY['start_workflow'::text, 'signal_workflow'::text])))
);
CREATE INDEX outbox_waiting ON public.outbox USING btree (id) WHERE (done_at IS NULL);

CREATE TABLE payment_requests (
  id uuid not null,
  order_id uuid not null,
  currency text not null,
  total_minor bigint not null,
  state text not null default 'open'::text,
  opened_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  settled_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint payment_requests_pkey PRIMARY KEY (id),
  constraint payment_requests_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
  constraint payment_requests_settled_check CHECK (((state = 'open'::text) = (settled_at IS NULL))),
  constraint payment_requests_state_check CHECK ((state = ANY (ARRAY['open'::text, 'paid'::text, 'expired'::text, 'closed'::text]))),
  constraint payment_requests_total_minor_check CHECK ((total_minor > 0))
);
CREATE UNIQUE INDEX one_open_payment_request ON public.payment_requests USING btree (order_id) WHERE (state = 'open'::text);
CREATE INDEX payment_requests_by_order ON public.payment_requests USING btree (order_id);

CREATE TABLE peer_keys (
  id text not null,
  peer_id uuid not null,
  is_own boolean not null,
  public_key bytea not null,
  key_id text,
  sealed bytea,
  made_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  holds_from timestamp with time zone,
  constraint peer_keys_pkey PRIMARY KEY (id),
  constraint peer_keys_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint own_key_sealed CHECK (((is_own = (sealed IS NOT NULL)) AND ((sealed IS NULL) = (key_id IS NULL)))),
  constraint peer_keys_public_key_check CHECK ((length(public_key) = 32)),
  constraint their_key_holds CHECK ((is_own OR (holds_from IS NOT NULL)))
);
CREATE UNIQUE INDEX one_next_key_per_peer ON public.peer_keys USING btree (peer_id) WHERE (is_own AND (holds_from IS NULL) AND (revoked_at IS NULL));
CREATE INDEX peer_keys_by_peer ON public.peer_keys USING btree (peer_id);
CREATE TRIGGER peer_key_kept BEFORE DELETE OR UPDATE ON public.peer_keys FOR EACH ROW EXECUTE FUNCTION guard_peer_key();

CREATE TABLE peer_messages (
  peer_id uuid not null,
  sequence bigint not null,
  kind text not null,
  subject_id uuid,
  content jsonb,
  sha256 bytea,
  queued_at timestamp with time zone not null default now(),
  delivered_at timestamp with time zone,
  needs text,
  constraint peer_messages_pkey PRIMARY KEY (peer_id, sequence),
  constraint peer_messages_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint delivered_as_sent CHECK (((delivered_at IS NULL) OR (sha256 IS NOT NULL))),
  constraint message_says_something CHECK (((subject_id IS NOT NULL) OR (content IS NOT NULL))),
  constraint peer_messages_kind_check CHECK ((kind ~ '^[a-z_]{1,40}$'::text)),
  constraint peer_messages_needs_check CHECK ((needs ~ '^[a-z_]{1,40}$'::text)),
  constraint peer_messages_sequence_check CHECK ((sequence >= 1)),
  constraint peer_messages_sha256_check CHECK ((length(sha256) = 32))
);
CREATE UNIQUE INDEX file_sent_once ON public.peer_messages USING btree (peer_id, subject_id, ((content ->> 'media_type'::text))) WHERE (kind = 'file'::text);
CREATE INDEX peer_messages_by_subject ON public.peer_messages USING btree (subject_id, kind);
CREATE INDEX peer_messages_waiting ON public.peer_messages USING btree (peer_id, sequence) WHERE (delivered_at IS NULL);
CREATE UNIQUE INDEX sent_once ON public.peer_messages USING btree (peer_id, subject_id) WHERE (kind = 'document'::text);
CREATE TRIGGER peer_message_kept BEFORE DELETE OR UPDATE ON public.peer_messages FOR EACH ROW EXECUTE FUNCTION guard_peer_message();

CREATE TABLE peer_nonces (
  peer_id uuid not null,
  nonce text not null,
  seen_at timestamp with time zone not null,
  constraint peer_nonces_pkey PRIMARY KEY (peer_id, nonce),
  constraint peer_nonces_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint peer_nonces_nonce_check CHECK (((length(nonce) >= 16) AND (length(nonce) <= 100)))
);
CREATE INDEX peer_nonces_by_age ON public.peer_nonces USING btree (seen_at);

CREATE TABLE peer_questions (
  id uuid not null,
  peer_id uuid not null,
  is_asked_here boolean not null,
  key text not null,
  kind text not null,
  supplier_invoice_id uuid,
  question jsonb not null,
  answer jsonb,
  evidence jsonb,
  refusal_code text,
  refusal_detail text,
  asked_by text not null,
  asked_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  constraint peer_questions_pkey PRIMARY KEY (id),
  constraint asked_once UNIQUE (peer_id, is_asked_here, key),
  constraint peer_questions_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint peer_questions_supplier_invoice_id_fkey FOREIGN KEY (supplier_invoice_id) REFERENCES supplier_invoices(id),
  constraint answered_with_evidence CHECK (((answer IS NULL) = (evidence IS NULL))),
  constraint finished_one_way CHECK ((((finished_at IS NULL) AND (answer IS NULL) AND (refusal_code IS NULL)) OR ((finished_at IS NOT NULL) AND ((answer IS NULL) <> (refusal_code IS NULL))))),
  constraint peer_questions_key_check CHECK (((length(key) >= 1) AND (length(key) <= 200))),
  constraint peer_questions_kind_check CHECK ((kind = ANY (ARRAY['proof'::text, 'usage'::text]))),
  constraint refused_with_a_reason CHECK (((refusal_code IS NULL) = (refusal_detail IS NULL))),
  constraint usage_of_an_invoice CHECK (((kind = 'usage'::text) = (supplier_invoice_id IS NOT NULL)))
);
CREATE INDEX peer_questions_by_peer ON public.peer_questions USING btree (peer_id, kind, id DESC);
CREATE INDEX peer_questions_by_supplier_invoice ON public.peer_questions USING btree (supplier_invoice_id, id DESC) WHERE (supplier_invoice_id IS NOT NULL);
CREATE TRIGGER peer_answer_kept BEFORE DELETE OR UPDATE ON public.peer_questions FOR EACH ROW WHEN ((old.finished_at IS NOT NULL)) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER peer_questions_kept BEFORE TRUNCATE ON public.peer_questions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE peer_refusals (
  peer_id uuid,
  code text not null,
  day date not null,
  count bigint not null default 1,
  first_at timestamp with time zone not null,
  last_at timestamp with time zone not null,
  detail text not null,
  constraint one_refusal_per_day UNIQUE NULLS NOT DISTINCT (peer_id, code, day),
  constraint peer_refusals_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint peer_refusals_count_check CHECK ((count >= 1)),
  constraint peer_refusals_detail_check CHECK ((length(detail) <= 1000))
);

CREATE TABLE peers (
  id uuid not null,
  role text not null,
  customer_id uuid,
  currency text,
  installation_id uuid,
  other_peer_id uuid,
  name text,
  url text,
  state text not null,
  halted_reason text,
  invitation_sha256 bytea,
  invitation_expires_at timestamp with time zone,
  invitation_used_at timestamp with time zone,
  code_key_id text,
  code_sealed bytea,
  last_sequence bigint not null default 0,
  is_awake boolean not null default false,
  created_at timestamp with time zone not null,
  created_by text not null,
  paired_at timestamp with time zone,
  closed_at timestamp with time zone,
  above text[] not null default '{}'::text[],
  other_version integer not null default 1,
  other_kinds text[] not null default '{document}'::text[],
  sent_sequence bigint not null default 0,
  told_sequence bigint,
  waiting_reason text,
  instance_id uuid,
  closed_reason text,
  files_sequence bigint not null default 0,
  billed_as text,
  constraint peers_pkey PRIMARY KEY (id),
  constraint peers_invitation_sha256_key UNIQUE (invitation_sha256),
  constraint peers_other_peer_id_key UNIQUE (other_peer_id),
  constraint peers_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint peers_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint above_bounded CHECK ((cardinality(above) <= 1000)),
  constraint above_of_a_supplier CHECK (((role = 'supplier'::text) OR (above = '{}'::text[]))),
  constraint active_once_paired CHECK (((state <> ALL (ARRAY['active'::text, 'halted'::text])) OR (paired_at IS NOT NULL))),
  constraint billed_as_of_a_supplier CHECK (((role = 'supplier'::text) OR (billed_as IS NULL))),
  constraint built_for_a_customer CHECK (((instance_id IS NULL) OR (role = 'customer'::text))),
  constraint closed_at_the_end CHECK (((state = 'closed'::text) = (closed_at IS NOT NULL))),
  constraint closed_for_a_reason CHECK (((closed_reason IS NULL) OR (state = 'closed'::text))),
  constraint code_sealed_whole CHECK (((code_sealed IS NULL) = (code_key_id IS NULL))),
  constraint customer_of_a_customer CHECK (((role = 'customer'::text) OR (customer_id IS NULL))),
  constraint halted_for_a_reason CHECK (((state = 'halted'::text) = (halted_reason IS NOT NULL))),
  constraint paired_with_somebody CHECK ((((paired_at IS NULL) = (installation_id IS NULL)) AND ((paired_at IS NULL) OR ((other_peer_id IS NOT NULL) AND (name IS NOT NULL) AND (url IS NOT NULL) AND (currency IS NOT NULL))))),
  constraint peers_billed_as_check CHECK (((length(billed_as) >= 1) AND (length(billed_as) <= 60))),
  constraint peers_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint peers_files_sequence_check CHECK ((files_sequence >= 0)),
  constraint peers_invitation_sha256_check CHECK ((length(invitation_sha256) = 32)),
  constraint peers_last_sequence_check CHECK ((last_sequence >= 0)),
  constraint peers_other_version_check CHECK ((other_version >= 1)),
  constraint peers_role_check CHECK ((role = ANY (ARRAY['supplier'::text, 'customer'::text]))),
  constraint peers_sent_sequence_check CHECK ((sent_sequence >= 0)),
  constraint peers_state_check CHECK ((state = ANY (ARRAY['invited'::text, 'accepting'::text, 'active'::text, 'halted'::text, 'closed'::text]))),
  constraint peers_told_sequence_check CHECK ((told_sequence >= 1)),
  constraint peers_waiting_reason_check CHECK (((length(waiting_reason) >= 1) AND (length(waiting_reason) <= 1000)))
);
CREATE UNIQUE INDEX one_peer_per_customer ON public.peers USING btree (customer_id) WHERE (state <> 'closed'::text);
CREATE UNIQUE INDEX one_peer_per_installation ON public.peers USING btree (installation_id, role) WHERE (state <> 'closed'::text);
CREATE UNIQUE INDEX one_peer_per_instance ON public.peers USING btree (instance_id) WHERE (state <> 'closed'::text);

CREATE TABLE portal_links (
  id uuid not null,
  customer_id uuid not null,
  token_sha256 bytea not null,
  made_by text not null,
  made_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  opened_at timestamp with time zone,
  withdrawn_at timestamp with time zone,
  constraint portal_links_pkey PRIMARY KEY (id),
  constraint portal_links_id_customer_id_key UNIQUE (id, customer_id),
  constraint portal_links_token_sha256_key UNIQUE (token_sha256),
  constraint portal_links_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint portal_link_lives_shortly CHECK (((expires_at > made_at) AND (expires_at <= (made_at + '1 day'::interval)))),
  constraint portal_link_opened_or_withdrawn CHECK (((opened_at IS NULL) OR (withdrawn_at IS NULL))),
  constraint portal_links_token_sha256_check CHECK ((length(token_sha256) = 32))
);
CREATE INDEX portal_links_of_customer ON public.portal_links USING btree (customer_id, id);

CREATE TABLE portal_sessions (
  id uuid not null,
  link_id uuid not null,
  customer_id uuid not null,
  token_sha256 bytea not null,
  form_token text not null,
  begun_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  ended_by text,
  constraint portal_sessions_pkey PRIMARY KEY (id),
  constraint portal_sessions_link_id_key UNIQUE (link_id),
  constraint portal_sessions_token_sha256_key UNIQUE (token_sha256),
  constraint portal_session_of_its_link FOREIGN KEY (link_id, customer_id) REFERENCES portal_links(id, customer_id),
  constraint portal_session_ended CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
  constraint portal_sessions_token_sha256_check CHECK ((length(token_sha256) = 32))
);
CREATE INDEX portal_sessions_of_customer ON public.portal_sessions USING btree (customer_id, id);

CREATE TABLE preferred_offers (
  server_id uuid not null,
  kind text not null,
  instance_id uuid not null,
  preferred_by text not null,
  preferred_at timestamp with time zone not null default now(),
  constraint preferred_offers_pkey PRIMARY KEY (server_id, kind),
  constraint preferred_offers_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint preferred_offers_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id)
);

CREATE TABLE price_grids (
  application_id uuid,
  instance_id uuid,
  currency text not null,
  price jsonb not null,
  starts_on date not null,
  created_at timestamp with time zone not null default now(),
  constraint price_grids_application_id_instance_id_currency_starts_on_key UNIQUE NULLS NOT DISTINCT (application_id, instance_id, currency, starts_on),
  constraint price_grids_application_id_fkey FOREIGN KEY (application_id) REFERENCES applications(id),
  constraint price_grids_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint price_grids_check CHECK ((num_nonnulls(application_id, instance_id) = 1)),
  constraint price_grids_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint price_grids_price_check CHECK (((price ->> 'model'::text) = 'grid'::text))
);
CREATE INDEX price_grids_by_instance ON public.price_grids USING btree (instance_id) WHERE (instance_id IS NOT NULL);

CREATE TABLE price_list_items (
  id uuid not null,
  price_list_id uuid not null,
  product_id uuid,
  minimum_quantity numeric not null default 0,
  discount_percent numeric,
  valid_in daterange not null default daterange(NULL::date, NULL::date),
  created_at timestamp with time zone not null default now(),
  price jsonb,
  formula jsonb,
  customer_id uuid,
  category text,
  attribute_name text,
  attribute_value text,
  season_from text,
  season_until text,
  currency text,
  constraint price_list_items_pkey PRIMARY KEY (id),
  constraint price_list_items_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint price_list_items_price_list_id_fkey FOREIGN KEY (price_list_id) REFERENCES price_lists(id),
  constraint price_list_items_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint price_list_items_check CHECK ((num_nonnulls(price, discount_percent, formula) = 1)),
  constraint price_list_items_check1 CHECK ((num_nonnulls(product_id, category, attribute_name) <= 1)),
  constraint price_list_items_check2 CHECK (((attribute_name IS NULL) = (attribute_value IS NULL))),
  constraint price_list_items_check3 CHECK (((season_from IS NULL) = (season_until IS NULL))),
  constraint price_list_items_check4 CHECK (((currency IS NULL) OR (price IS NOT NULL))),
  constraint price_list_items_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint price_list_items_discount_percent_check CHECK (((discount_percent >= (0)::numeric) AND (discount_percent <= (100)::numeric))),
  constraint price_list_items_minimum_quantity_check CHECK ((minimum_quantity >= (0)::numeric)),
  constraint price_list_items_season_from_check CHECK ((season_from ~ '^\d\d-\d\d$'::text)),
  constraint price_list_items_season_until_check CHECK ((season_until ~ '^\d\d-\d\d$'::text)),
  constraint price_list_items_valid_in_check CHECK ((NOT isempty(valid_in)))
);

CREATE TABLE price_lists (
  id uuid not null,
  code text not null,
  name text not null,
  currency text not null,
  created_at timestamp with time zone not null default now(),
  base_price_list_id uuid,
  allows_conversion boolean not null default false,
  archived_at timestamp with time zone,
  constraint price_lists_pkey PRIMARY KEY (id),
  constraint price_lists_code_key UNIQUE (code),
  constraint price_lists_base_price_list_id_fkey FOREIGN KEY (base_price_list_id) REFERENCES price_lists(id),
  constraint price_lists_check CHECK ((base_price_list_id <> id)),
  constraint price_lists_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,59}$'::text)),
  constraint price_lists_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
);

CREATE TABLE product_applications (
  product_id uuid not null,
  application_id uuid not null,
  version integer not null,
  constraint product_applications_pkey PRIMARY KEY (product_id, version, application_id),
  constraint product_applications_application_id_fkey FOREIGN KEY (application_id) REFERENCES applications(id),
  constraint product_applications_product_id_version_fkey FOREIGN KEY (product_id, version) REFERENCES product_versions(product_id, version)
);
CREATE CONSTRAINT TRIGGER deployed_here_or_there AFTER INSERT ON public.product_applications NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION refuse_deployed_twice();

CREATE TABLE product_deployers (
  product_id uuid not null,
  deployer_id uuid not null,
  product_there text,
  kit_there text,
  set_at timestamp with time zone not null,
  set_by text not null,
  tried_at timestamp with time zone,
  refusal text,
  constraint product_deployers_pkey PRIMARY KEY (product_id),
  constraint product_deployers_deployer_id_fkey FOREIGN KEY (deployer_id) REFERENCES deployers(id),
  constraint product_deployers_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint one_is_ordered_there CHECK ((num_nonnulls(product_there, kit_there) = 1)),
  constraint product_deployers_kit_there_check CHECK (((length(kit_there) >= 1) AND (length(kit_there) <= 200))),
  constraint product_deployers_product_there_check CHECK (((length(product_there) >= 1) AND (length(product_there) <= 200))),
  constraint product_deployers_refusal_check CHECK (((length(refusal) >= 1) AND (length(refusal) <= 1000))),
  constraint refused_when_tried CHECK (((refusal IS NULL) OR (tried_at IS NOT NULL)))
);
CREATE INDEX product_deployers_deployer_id_idx ON public.product_deployers USING btree (deployer_id);
CREATE CONSTRAINT TRIGGER deployed_here_or_there AFTER INSERT ON public.product_deployers NOT DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION refuse_deployed_twice();

CREATE TABLE product_versions (
  product_id uuid not null,
  version integer not null,
  effective_on date,
  name text not null,
  billing_type text not null,
  billing_timing text not null,
  recurrence_count integer,
  recurrence_unit text,
  unit text not null,
  price jsonb not null,
  terms jsonb not null default '{}'::jsonb,
  category text,
  attributes jsonb not null default '{}'::jsonb,
  tax_category text not null default 'standard'::text,
  currency text not null,
  metric text,
  limit_code text,
  quantity_attribute text,
  created_at timestamp with time zone not null default now(),
  options jsonb not null default '[]'::jsonb,
  order_fields jsonb not null default '[]'::jsonb,
  features jsonb not null default '{}'::jsonb,
  constraint product_versions_pkey PRIMARY KEY (product_id, version),
  constraint product_versions_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint first_version_holds_always CHECK (((version = 1) = (effective_on IS NULL))),
  constraint product_versions_billing_timing_check CHECK ((billing_timing = ANY (ARRAY['advance'::text, 'arrears'::text]))),
  constraint product_versions_billing_type_check CHECK ((billing_type = ANY (ARRAY['flat'::text, 'usage'::text, 'threshold'::text]))),
  constraint product_versions_check CHECK ((attributes ? quantity_attribute)),
  constraint product_versions_check1 CHECK (((recurrence_count IS NULL) = (recurrence_unit IS NULL))),
  constraint product_versions_check2 CHECK (((billing_type <> 'usage'::text) OR ((billing_timing = 'arrears'::text) AND (metric IS NOT NULL) AND (recurrence_unit IS NOT NULL)))),
  constraint product_versions_check3 CHECK (((billing_type = 'usage'::text) OR (metric IS NULL))),
  constraint product_versions_check4 CHECK (((billing_type = 'threshold'::text) OR (limit_code IS NULL))),
  constraint product_versions_check5 CHECK (((billing_type = 'threshold'::text) OR (quantity_attribute IS NULL))),
  constraint product_versions_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint product_versions_features_check CHECK ((jsonb_typeof(features) = 'object'::text)),
  constraint product_versions_options_check CHECK ((jsonb_typeof(options) = 'array'::text)),
  constraint product_versions_order_fields_check CHECK ((jsonb_typeof(order_fields) = 'array'::text)),
  constraint product_versions_price_check CHECK (((price ->> 'model'::text) IS NOT NULL)),
  constraint product_versions_recurrence_count_check CHECK ((recurrence_count >= 1)),
  constraint product_versions_recurrence_unit_check CHECK ((recurrence_unit = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'month_last_day'::text, 'quarter'::text, 'half_year'::text, 'year'::text]))),
  constraint product_versions_version_check CHECK ((version >= 1))
);
CREATE TRIGGER product_version_immutable BEFORE UPDATE ON public.product_versions FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE products (
  id uuid not null,
  code text not null,
  archived_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  variant_of_id uuid,
  external_id text,
  is_hidden boolean not null default false,
  constraint products_pkey PRIMARY KEY (id),
  constraint products_code_key UNIQUE (code),
  constraint products_variant_of_id_fkey FOREIGN KEY (variant_of_id) REFERENCES products(id),
  constraint products_check4 CHECK ((variant_of_id <> id)),
  constraint products_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,59}$'::text)),
  constraint products_external_id_check CHECK ((external_id ~ '^[!-~]{1,100}$'::text))
);
CREATE UNIQUE INDEX products_external_id ON public.products USING btree (external_id) WHERE (external_id IS NOT NULL);

CREATE TABLE reading_hours (
  series_id bigint not null,
  starts_at timestamp with time zone not null,
  rolled_up_to timestamp with time zone not null,
  reading_count integer not null,
  read_ats timestamp with time zone[] not null,
  sampled_ats timestamp with time zone[],
  read_values numeric[] not null,
  openings boolean[],
  constraint reading_hours_pkey PRIMARY KEY (series_id, starts_at, rolled_up_to),
  constraint reading_hours_series_id_fkey FOREIGN KEY (series_id) REFERENCES reading_series(id),
  constraint an_hour_has_all_its_readings CHECK (((cardinality(read_ats) = reading_count) AND (cardinality(read_values) = reading_count))),
  constraint an_hour_knows_all_or_none CHECK (((cardinality(sampled_ats) = reading_count) AND (cardinality(openings) = reading_count))),
  constraint reading_hours_reading_count_check CHECK ((reading_count > 0))
);

CREATE TABLE reading_series (
  id bigint not null generated always as identity,
  instance_id uuid not null,
  metric text not null,
  series text not null,
  unit text not null,
  constraint reading_series_pkey PRIMARY KEY (id),
  constraint reading_series_instance_id_metric_series_unit_key UNIQUE (instance_id, metric, series, unit),
  constraint reading_series_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id)
);

CREATE TABLE reading_store (
  is_only boolean not null default true,
  rolled_up_to timestamp with time zone not null default '2000-01-01 00:00:00+00'::timestamp with time zone,
  raw_days integer not null default 40,
  hourly_months integer not null default 13,
  constraint reading_store_pkey PRIMARY KEY (is_only),
  constraint reading_store_hourly_months_check CHECK (((hourly_months >= 4) AND (hourly_months <= 120))),
  constraint reading_store_is_only_check CHECK (is_only),
  constraint reading_store_raw_days_check CHECK (((raw_days >= 7) AND (raw_days <= 3650)))
);

CREATE TABLE reading_values (
  series_id bigint not null,
  read_at timestamp with time zone not null,
  sampled_at timestamp with time zone not null,
  value numeric not null,
  is_opening boolean not null default false,
  constraint reading_values_pkey PRIMARY KEY (series_id, read_at, sampled_at),
  constraint reading_values_series_id_fkey FOREIGN KEY (series_id) REFERENCES reading_series(id),
  constraint reading_values_value_check CHECK ((value >= (0)::numeric))
) PARTITION BY RANGE (sampled_at);
CREATE TRIGGER changed_reading_noted AFTER UPDATE ON public.reading_values REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_late_readings();
CREATE TRIGGER late_reading_noted AFTER INSERT ON public.reading_values REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_late_readings();

CREATE TABLE received_peer_messages (
  peer_id uuid not null,
  sequence bigint not null,
  kind text not null,
  sha256 bytea not null,
  received_at timestamp with time zone not null,
  constraint received_peer_messages_pkey PRIMARY KEY (peer_id, sequence),
  constraint received_peer_messages_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint received_peer_messages_kind_check CHECK ((kind ~ '^[a-z_]{1,40}$'::text)),
  constraint received_peer_messages_sequence_check CHECK ((sequence >= 1)),
  constraint received_peer_messages_sha256_check CHECK ((length(sha256) = 32))
);
CREATE TRIGGER received_peer_message_immutable BEFORE DELETE OR UPDATE ON public.received_peer_messages FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE refused_documents (
  peer_id uuid not null,
  document_id uuid not null,
  sha256 bytea not null,
  number text not null,
  refused_at timestamp with time zone not null,
  accepted_at timestamp with time zone,
  accepted_by text,
  constraint refused_documents_pkey PRIMARY KEY (peer_id, document_id, sha256),
  constraint refused_documents_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint accepted_by_somebody CHECK (((accepted_at IS NULL) = (accepted_by IS NULL))),
  constraint refused_documents_sha256_check CHECK ((length(sha256) = 32))
);

CREATE TABLE refused_usage_events (
  id uuid not null,
  sender text not null,
  name text not null,
  content text not null,
  is_whole boolean not null,
  code text not null,
  detail text not null,
  pointer text,
  refusals integer not null default 1,
  first_refused_at timestamp with time zone not null,
  refused_at timestamp with time zone not null,
  source text,
  event_id text,
  constraint refused_usage_events_pkey PRIMARY KEY (id),
  constraint one_place_per_refused_event UNIQUE (sender, name),
  constraint refused_usage_events_check CHECK ((refused_at >= first_refused_at)),
  constraint refused_usage_events_content_check CHECK ((octet_length(content) <= 8192)),
  constraint refused_usage_events_detail_check CHECK ((length(detail) <= 1000)),
  constraint refused_usage_events_name_check CHECK ((length(name) <= 500)),
  constraint refused_usage_events_pointer_check CHECK ((length(pointer) <= 500)),
  constraint refused_usage_events_refusals_check CHECK ((refusals > 0))
);
CREATE INDEX refused_usage_events_by_time ON public.refused_usage_events USING btree (sender, refused_at);
CREATE INDEX refused_usage_events_refused_at_idx ON public.refused_usage_events USING btree (refused_at);

CREATE TABLE registries (
  id uuid not null,
  host text not null,
  username text not null,
  key_id text not null,
  sealed bytea not null,
  set_at timestamp with time zone not null,
  set_by text not null,
  created_at timestamp with time zone not null default now(),
  constraint registries_pkey PRIMARY KEY (id),
  constraint registries_host_key UNIQUE (host),
  constraint registries_host_check CHECK (((host = lower(host)) AND (host !~ '[/@ ]'::text) AND ((length(host) >= 1) AND (length(host) <= 260)))),
  constraint registries_username_check CHECK (((length(username) >= 1) AND (length(username) <= 255)))
);

CREATE TABLE reservations (
  instance_id uuid not null,
  server_id uuid not null,
  memory_mib integer not null,
  cpus numeric not null,
  disk_mib bigint not null,
  reserved_at timestamp with time zone not null default now(),
  released_at timestamp with time zone,
  constraint reservations_pkey PRIMARY KEY (instance_id),
  constraint reservations_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint reservations_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint reservations_cpus_check CHECK ((cpus >= (0)::numeric)),
  constraint reservations_disk_mib_check CHECK ((disk_mib >= 0)),
  constraint reservations_memory_mib_check CHECK ((memory_mib >= 0))
);
CREATE INDEX reservations_by_server ON public.reservations USING btree (server_id) WHERE (released_at IS NULL);
CREATE TRIGGER reservation_capacity BEFORE INSERT OR UPDATE ON public.reservations FOR EACH ROW EXECUTE FUNCTION check_reservation();

CREATE TABLE reserved_names (
  kind text not null,
  value text not null,
  order_id uuid not null,
  expires_at timestamp with time zone not null,
  constraint reserved_names_pkey PRIMARY KEY (kind, value),
  constraint reserved_names_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
  constraint reserved_names_kind_check CHECK ((kind = ANY (ARRAY['name'::text, 'prefix'::text])))
);
CREATE INDEX reserved_names_by_order ON public.reserved_names USING btree (order_id);

CREATE TABLE resources (
  id uuid not null,
  instance_id uuid not null,
  server_id uuid not null,
  kind text not null,
  name text not null,
  component text not null default ''::text,
  external_id text not null,
  made_at timestamp with time zone not null default now(),
  removed_at timestamp with time zone,
  constraint resources_pkey PRIMARY KEY (id),
  constraint resources_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint resources_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint resources_kind_check CHECK ((kind = ANY (ARRAY['container'::text, 'volume'::text, 'network'::text, 'image'::text])))
);
CREATE UNIQUE INDEX one_live_resource ON public.resources USING btree (instance_id, kind, name) WHERE (removed_at IS NULL);

CREATE TABLE restores (
  id uuid not null,
  subscription_id uuid not null,
  instance_id uuid not null,
  backup_id uuid not null,
  request_id text not null,
  state text not null default 'running'::text,
  failure_code text,
  failure_detail text,
  created_at timestamp with time zone not null default now(),
  finished_at timestamp with time zone,
  constraint restores_pkey PRIMARY KEY (id),
  constraint one_restore_per_request UNIQUE (subscription_id, request_id),
  constraint restores_backup_id_fkey FOREIGN KEY (backup_id) REFERENCES backups(id),
  constraint restores_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint restores_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint restores_failure_check CHECK ((num_nonnulls(failure_code, failure_detail) =
CASE
    WHEN (state = ANY (ARRAY['undone'::text, 'failed'::text])) THEN 2
    ELSE 0
END)),
  constraint restores_finished_check CHECK (((state = 'running'::text) = (finished_at IS NULL))),
  constraint restores_state_check CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'undone'::text, 'failed'::text])))
);
CREATE UNIQUE INDEX one_running_restore ON public.restores USING btree (instance_id) WHERE (state = 'running'::text);
CREATE INDEX restores_by_backup ON public.restores USING btree (backup_id);

CREATE TABLE secrets (
  instance_id uuid not null,
  name text not null,
  version integer not null default 1,
  key_id text not null,
  sealed bytea not null,
  created_at timestamp with time zone not null default now(),
  destroyed_at timestamp with time zone,
  shown_at timestamp with time zone,
  retired_at timestamp with time zone,
  rotated_by text,
  constraint secrets_pkey PRIMARY KEY (instance_id, name, version),
  constraint secrets_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id)
);
CREATE UNIQUE INDEX one_current_secret ON public.secrets USING btree (instance_id, name) WHERE ((retired_at IS NULL) AND (destroyed_at IS NULL));
CREATE UNIQUE INDEX one_rotation_per_request ON public.secrets USING btree (instance_id, name, rotated_by);

CREATE TABLE server_join_tokens (
  server_id uuid not null,
  secret_sha256 bytea not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint server_join_tokens_pkey PRIMARY KEY (server_id),
  constraint server_join_tokens_secret_sha256_key UNIQUE (secret_sha256),
  constraint server_join_tokens_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint server_join_tokens_check CHECK ((expires_at > created_at))
);

CREATE TABLE server_secrets (
  server_id uuid not null,
  name text not null,
  key_id text not null,
  sealed bytea not null,
  constraint server_secrets_pkey PRIMARY KEY (server_id, name),
  constraint server_secrets_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint server_secrets_name_check CHECK ((name = ANY (ARRAY['ca'::text, 'certificate'::text, 'key'::text])))
);

CREATE TABLE servers (
  id uuid not null,
  code text not null,
  runner text,
  port_range int4range,
  facts jsonb not null default '{}'::jsonb,
  last_seen_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  memory_mib integer,
  cpus numeric,
  disk_mib bigint,
  most_instances integer,
  efficiency numeric not null default 1,
  tags text[] not null default '{}'::text[],
  draining_since timestamp with time zone,
  removed_at timestamp with time zone,
  resource_kind text not null default 'infrastructure'::text,
  connection text default 'local'::text,
  engine_address text,
  engine_set_at timestamp with time zone,
  joined_at timestamp with time zone,
  checked_at timestamp with time zone,
  sampled_at timestamp with time zone,
  failure_cause text,
  failure_detail text,
  unreachable_since timestamp with time zone,
  subnet_pool cidr not null default '10.201.0.0/16'::cidr,
  subnet_prefix_length integer not null default 26,
  host_rules jsonb,
  constraint servers_pkey PRIMARY KEY (id),
  constraint servers_code_key UNIQUE (code),
  constraint failure_has_a_cause CHECK (((failure_cause IS NULL) = (failure_detail IS NULL))),
  constraint only_infrastructure_has_an_engine CHECK ((num_nulls(runner, port_range, connection) =
CASE resource_kind
    WHEN 'people'::text THEN 3
    ELSE 0
END)),
  constraint servers_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,39}$'::text)),
  constraint servers_connection_check CHECK ((connection = ANY (ARRAY['local'::text, 'own_worker'::text, 'tls'::text]))),
  constraint servers_cpus_check CHECK ((cpus > (0)::numeric)),
  constraint servers_disk_mib_check CHECK ((disk_mib > 0)),
  constraint servers_efficiency_check CHECK (((efficiency > (0)::numeric) AND (efficiency <= (10)::numeric))),
  constraint servers_engine_address_check CHECK ((engine_address ~ '^tcp://'::text)),
  constraint servers_failure_cause_check CHECK ((failure_cause = ANY (ARRAY['refused'::text, 'timed_out'::text, 'tls_wrong'::text, 'name_unknown'::text, 'not_permitted'::text, 'worker_silent'::text, 'failed'::text]))),
  constraint servers_memory_mib_check CHECK ((memory_mib > 0)),
  constraint servers_most_instances_check CHECK ((most_instances >= 0)),
  constraint servers_resource_kind_check CHECK ((resource_kind = ANY (ARRAY['infrastructure'::text, 'people'::text]))),
  constraint servers_runner_check CHECK ((runner = ANY (ARRAY['docker'::text, 'dry-run'::text]))),
  constraint subnet_pool_of_small_subnets CHECK (((family((subnet_pool)::inet) = 4) AND ((subnet_prefix_length >= masklen((subnet_pool)::inet)) AND (subnet_prefix_length <= LEAST(29, (masklen((subnet_pool)::inet) + 12)))))),
  constraint tls_has_an_address CHECK ((((COALESCE(connection, ''::text) = 'tls'::text) = (engine_address IS NOT NULL)) AND ((engine_address IS NULL) = (engine_set_at IS NULL))))
);
CREATE TRIGGER server_removal BEFORE UPDATE OF removed_at ON public.servers FOR EACH ROW WHEN (((old.removed_at IS NULL) AND (new.removed_at IS NOT NULL))) EXECUTE FUNCTION check_server_removal();

CREATE TABLE service_terms (
  version integer not null,
  text text,
  url text,
  published_at timestamp with time zone not null,
  created_at timestamp with time zone not null default now(),
  constraint service_terms_pkey PRIMARY KEY (version),
  constraint service_terms_say_something CHECK ((num_nonnulls(text, url) > 0)),
  constraint service_terms_version_check CHECK ((version > 0))
);
CREATE TRIGGER service_terms_immutable BEFORE DELETE OR UPDATE ON public.service_terms FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER service_terms_kept BEFORE TRUNCATE ON public.service_terms FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE sessions (
  token_sha256 bytea not null,
  operator_id uuid not null,
  form_token text not null,
  expires_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null default now(),
  ended_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint sessions_pkey PRIMARY KEY (token_sha256),
  constraint sessions_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES operators(id)
);

CREATE TABLE skipped_numbers (
  series text not null,
  first integer not null,
  last integer not null,
  reason text not null,
  skipped_at timestamp with time zone not null,
  skipped_by text not null,
  constraint skipped_numbers_pkey PRIMARY KEY (series, first),
  constraint skipped_numbers_series_fkey FOREIGN KEY (series) REFERENCES number_series(code),
  constraint skipped_in_order CHECK ((last >= first)),
  constraint skipped_numbers_first_check CHECK ((first >= 1)),
  constraint skipped_numbers_reason_check CHECK ((length(reason) > 0))
);
CREATE TRIGGER skipped_numbers_immutable BEFORE DELETE OR UPDATE ON public.skipped_numbers FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE spend_caps (
  subscription_id uuid not null,
  set_by text not null,
  amount_minor bigint not null,
  effect text not null,
  alerts jsonb not null,
  actor text not null,
  set_at timestamp with time zone not null,
  held_since timestamp with time zone,
  constraint spend_caps_pkey PRIMARY KEY (subscription_id, set_by),
  constraint spend_caps_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint only_a_stop_holds CHECK (((held_since IS NULL) OR (effect = 'stop'::text))),
  constraint spend_caps_alerts_check CHECK ((jsonb_typeof(alerts) = 'array'::text)),
  constraint spend_caps_amount_minor_check CHECK ((amount_minor > 0)),
  constraint spend_caps_effect_check CHECK ((effect = ANY (ARRAY['alert'::text, 'stop'::text]))),
  constraint spend_caps_set_by_check CHECK ((set_by = ANY (ARRAY['customer'::text, 'operator'::text])))
);

CREATE TABLE stock_takings (
  id uuid not null,
  product_id uuid not null,
  customer_id uuid not null,
  subscription_id uuid not null,
  quantity numeric not null,
  returned_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint stock_takings_pkey PRIMARY KEY (id),
  constraint stock_takings_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint stock_takings_product_id_fkey FOREIGN KEY (product_id) REFERENCES stocks(product_id),
  constraint stock_takings_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint stock_takings_quantity_check CHECK ((quantity > (0)::numeric))
);
CREATE INDEX stock_takings_product_id_customer_id_idx ON public.stock_takings USING btree (product_id, customer_id);
CREATE INDEX stock_takings_subscription_id_idx ON public.stock_takings USING btree (subscription_id);

CREATE TABLE stocks (
  product_id uuid not null,
  quantity numeric,
  taken_quantity numeric not null default 0,
  limit_per_customer numeric,
  is_returned boolean not null default true,
  constraint stocks_pkey PRIMARY KEY (product_id),
  constraint stocks_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint stocks_check CHECK ((taken_quantity <= quantity)),
  constraint stocks_limit_per_customer_check CHECK ((limit_per_customer > (0)::numeric)),
  constraint stocks_taken_quantity_check CHECK ((taken_quantity >= (0)::numeric))
);

CREATE TABLE subnets (
  server_id uuid not null,
  environment_id uuid not null,
  range cidr not null,
  taken_at timestamp with time zone not null default now(),
  constraint subnets_pkey PRIMARY KEY (server_id, environment_id),
  constraint one_environment_per_subnet EXCLUDE USING gist (server_id WITH =, range inet_ops WITH &&),
  constraint subnets_environment_id_fkey FOREIGN KEY (environment_id) REFERENCES environments(id),
  constraint subnets_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id)
);

CREATE TABLE subscription_commands (
  subscription_id uuid not null,
  request_id text not null,
  kind text not null,
  actor text not null,
  refusal jsonb,
  handled_at timestamp with time zone not null default now(),
  replaced jsonb,
  constraint subscription_commands_pkey PRIMARY KEY (subscription_id, request_id),
  constraint subscription_commands_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id)
);

CREATE TABLE subscription_documents (
  id uuid not null,
  customer_id uuid not null,
  interval_count integer not null,
  interval_unit text not null,
  currency text not null,
  billing_cycle_anchor date not null,
  time_zone text not null,
  test_clock_id uuid,
  next_period_index integer not null default 0,
  next_invoice_on date not null,
  parked_reason text,
  closed_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  purchase_order_reference text,
  own_anchor_on date,
  former_anchor date,
  anchor_moved_on date,
  finalize_on date,
  advance_days integer not null default 0,
  due_on date not null default COALESCE(finalize_on, (next_invoice_on -
CASE
    WHEN (next_period_index = 0) THEN 0
    ELSE advance_days
END)),
  constraint subscription_documents_pkey PRIMARY KEY (id),
  constraint subscription_documents_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint subscription_documents_test_clock_id_fkey FOREIGN KEY (test_clock_id) REFERENCES test_clocks(id),
  constraint document_advance_days_known CHECK (((advance_days >= 0) AND (advance_days <= 60))),
  constraint subscription_documents_check CHECK (((former_anchor IS NULL) = (anchor_moved_on IS NULL))),
  constraint subscription_documents_interval_count_check CHECK ((interval_count >= 1)),
  constraint subscription_documents_interval_unit_check CHECK ((interval_unit = ANY (ARRAY['day'::text, 'month'::text, 'month_last_day'::text])))
);
CREATE INDEX documents_due ON public.subscription_documents USING btree (due_on) WHERE (closed_at IS NULL);
CREATE UNIQUE INDEX one_open_document ON public.subscription_documents USING btree (customer_id, interval_count, interval_unit, currency, test_clock_id, purchase_order_reference, own_anchor_on) NULLS NOT DISTINCT WHERE (closed_at IS NULL);

CREATE TABLE subscription_lines (
  id uuid not null,
  first_line_id uuid not null,
  subscription_id uuid not null,
  document_id uuid,
  product_id uuid not null,
  instance_id uuid,
  position integer not null,
  billing_type text not null,
  billing_timing text not null,
  interval_count integer,
  interval_unit text,
  description text not null,
  quantity numeric not null,
  unit text not null,
  metric text,
  limit_code text,
  starts_on date,
  ends_on date,
  created_at timestamp with time zone not null default now(),
  price jsonb not null,
  terms jsonb not null default '{}'::jsonb,
  tax_category text not null default 'standard'::text,
  price_list_item_id uuid,
  transferred_from_line_id uuid,
  opened_by text,
  closed_by text,
  conversion jsonb,
  product_version integer not null,
  main_line_id uuid,
  constraint subscription_lines_pkey PRIMARY KEY (id),
  constraint subscription_lines_first_line_id_daterange_excl EXCLUDE USING gist (first_line_id WITH =, daterange(starts_on, ends_on) WITH &&) WHERE ((starts_on IS NOT NULL)),
  constraint subscription_lines_document_id_fkey FOREIGN KEY (document_id) REFERENCES subscription_documents(id),
  constraint subscription_lines_first_line_id_fkey FOREIGN KEY (first_line_id) REFERENCES subscription_lines(id),
  constraint subscription_lines_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint subscription_lines_main_line_id_fkey FOREIGN KEY (main_line_id) REFERENCES subscription_lines(id),
  constraint subscription_lines_price_list_item_id_fkey FOREIGN KEY (price_list_item_id) REFERENCES price_list_items(id),
  constraint subscription_lines_product_version_fkey FOREIGN KEY (product_id, product_version) REFERENCES product_versions(product_id, version),
  constraint subscription_lines_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint subscription_lines_transferred_from_line_id_fkey FOREIGN KEY (transferred_from_line_id) REFERENCES subscription_lines(id),
  constraint subscription_lines_billing_timing_check CHECK ((billing_timing = ANY (ARRAY['advance'::text, 'arrears'::text]))),
  constraint subscription_lines_billing_type_check CHECK ((billing_type = ANY (ARRAY['flat'::text, 'usage'::text, 'threshold'::text]))),
  constraint subscription_lines_check CHECK (((interval_count IS NULL) = (interval_unit IS NULL))),
  constraint subscription_lines_check1 CHECK (((ends_on IS NULL) OR (starts_on IS NOT NULL))),
  constraint subscription_lines_check2 CHECK ((ends_on >= starts_on)),
  constraint subscription_lines_check3 CHECK (((starts_on IS NULL) OR (interval_unit IS NULL) OR (document_id IS NOT NULL))),
  constraint subscription_lines_check4 CHECK ((main_line_id <> first_line_id)),
  constraint subscription_lines_conversion_check CHECK (((conversion IS NULL) OR ((conversion ->> 'rate'::text) IS NOT NULL))),
  constraint subscription_lines_interval_unit_check CHECK ((interval_unit = ANY (ARRAY['day'::text, 'month'::text, 'month_last_day'::text]))),
  constraint subscription_lines_quantity_check CHECK ((quantity >= (0)::numeric))
);
CREATE INDEX lines_by_document ON public.subscription_lines USING btree (document_id);
CREATE INDEX lines_by_instance ON public.subscription_lines USING btree (instance_id) WHERE (instance_id IS NOT NULL);
CREATE INDEX lines_by_product_version ON public.subscription_lines USING btree (product_id, product_version);
CREATE INDEX lines_by_subscription ON public.subscription_lines USING btree (subscription_id);
CREATE INDEX subscription_lines_main_line_id_idx ON public.subscription_lines USING btree (main_line_id) WHERE (main_line_id IS NOT NULL);

CREATE TABLE subscription_pauses (
  id uuid not null,
  subscription_id uuid not null,
  request_id text not null,
  pause_period daterange not null,
  reason text,
  begun_at timestamp with time zone,
  ended_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint subscription_pauses_pkey PRIMARY KEY (id),
  constraint subscription_pauses_subscription_id_pause_period_excl EXCLUDE USING gist (subscription_id WITH =, pause_period WITH &&),
  constraint subscription_pauses_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint subscription_pauses_check CHECK (((ended_at IS NULL) OR (begun_at IS NOT NULL))),
  constraint subscription_pauses_pause_period_check CHECK (((NOT isempty(pause_period)) AND (NOT lower_inf(pause_period))))
);

CREATE TABLE subscription_templates (
  id uuid not null,
  code text not null,
  name text not null,
  defaults jsonb not null,
  created_at timestamp with time zone not null default now(),
  constraint subscription_templates_pkey PRIMARY KEY (id),
  constraint one_template_per_code UNIQUE (code),
  constraint subscription_templates_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9-]*$'::text)),
  constraint subscription_templates_defaults_check CHECK ((jsonb_typeof(defaults) = 'object'::text))
);

CREATE TABLE subscriptions (
  id uuid not null,
  order_id uuid not null,
  order_line_id uuid not null,
  customer_id uuid not null,
  environment_id uuid not null,
  test_clock_id uuid,
  product_id uuid,
  kit_id uuid,
  title text not null,
  currency text not null,
  phase text not null default 'ordered'::text,
  parked_reason text,
  activated_at timestamp with time zone,
  starts_on date,
  cancel_requested_at timestamp with time zone,
  cancel_reason text,
  ends_on date,
  suspended_reason text,
  ended_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  least_amount numeric,
  greatest_amount numeric,
  purchase_order_reference text,
  has_own_anchor boolean not null default false,
  term jsonb,
  term_ends_on date,
  cancel_reason_code text,
  tags text[] not null default '{}'::text[],
  notes text,
  external_id text,
  late_usage_at timestamp with time zone,
  kit_version integer,
  trial_ends_on date,
  trial_told_at timestamp with time zone,
  reinstated_from_id uuid,
  early_invoice_minor bigint,
  is_billed_elsewhere boolean not null default false,
  constraint subscriptions_pkey PRIMARY KEY (id),
  constraint subscriptions_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint subscriptions_environment_id_fkey FOREIGN KEY (environment_id) REFERENCES environments(id),
  constraint subscriptions_kit_version_fkey FOREIGN KEY (kit_id, kit_version) REFERENCES kit_versions(kit_id, version),
  constraint subscriptions_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
  constraint subscriptions_order_line_id_fkey FOREIGN KEY (order_line_id) REFERENCES order_lines(id),
  constraint subscriptions_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint subscriptions_reinstated_from_id_fkey FOREIGN KEY (reinstated_from_id) REFERENCES subscriptions(id),
  constraint subscriptions_test_clock_id_fkey FOREIGN KEY (test_clock_id) REFERENCES test_clocks(id),
  constraint kit_has_version CHECK (((kit_id IS NULL) = (kit_version IS NULL))),
  constraint subscriptions_cancel_reason_code_check CHECK ((cancel_reason_code = ANY (ARRAY['too_expensive'::text, 'missing_features'::text, 'poor_quality'::text, 'poor_service'::text, 'not_used'::text, 'other_provider'::text, 'business_closed'::text, 'not_paid'::text, 'other'::text, 'handed_over'::text, 'trial_over'::text]))),
  constraint subscriptions_check CHECK ((num_nonnulls(product_id, kit_id) = 1)),
  constraint subscriptions_check1 CHECK (((phase = 'ended'::text) = (ended_at IS NOT NULL))),
  constraint subscriptions_check2 CHECK (((phase = 'suspended'::text) <= (suspended_reason IS NOT NULL))),
  constraint subscriptions_check3 CHECK (((phase <> ALL (ARRAY['active'::text, 'suspended'::text])) OR (activated_at IS NOT NULL))),
  constraint subscriptions_check4 CHECK (((term IS NULL) = (term_ends_on IS NULL))),
  constraint subscriptions_check5 CHECK ((greatest_amount >= least_amount)),
  constraint subscriptions_early_invoice_minor_check CHECK ((early_invoice_minor > 0)),
  constraint subscriptions_external_id_check CHECK ((external_id ~ '^[!-~]{1,100}$'::text)),
  constraint subscriptions_greatest_amount_check CHECK ((greatest_amount >= (0)::numeric)),
  constraint subscriptions_least_amount_check CHECK ((least_amount >= (0)::numeric)),
  constraint subscriptions_phase_check CHECK ((phase = ANY (ARRAY['ordered'::text, 'building'::text, 'active'::text, 'suspended'::text, 'unbuilding'::text, 'ended'::text]))),
  constraint trial_told CHECK (((trial_told_at IS NULL) OR (trial_ends_on IS NOT NULL)))
);
CREATE UNIQUE INDEX one_live_reinstatement ON public.subscriptions USING btree (reinstated_from_id) WHERE ((reinstated_from_id IS NOT NULL) AND (phase <> 'ended'::text));
CREATE INDEX subscriptions_by_clock ON public.subscriptions USING btree (test_clock_id) WHERE (test_clock_id IS NOT NULL);
CREATE INDEX subscriptions_by_customer ON public.subscriptions USING btree (customer_id, id DESC);
CREATE INDEX subscriptions_by_order ON public.subscriptions USING btree (order_id);
CREATE INDEX subscriptions_by_phase ON public.subscriptions USING btree (phase, id DESC);
CREATE INDEX subscriptions_by_tag ON public.subscriptions USING gin (tags);
CREATE UNIQUE INDEX subscriptions_external_id ON public.subscriptions USING btree (external_id) WHERE (external_id IS NOT NULL);
CREATE INDEX subscriptions_parked ON public.subscriptions USING btree (id DESC) WHERE (parked_reason IS NOT NULL);
CREATE INDEX subscriptions_with_late_usage ON public.subscriptions USING btree (id) WHERE (late_usage_at IS NOT NULL);
CREATE TRIGGER stock_return AFTER UPDATE OF phase ON public.subscriptions FOR EACH ROW WHEN (((new.phase = 'ended'::text) AND (old.phase <> 'ended'::text))) EXECUTE FUNCTION stock_return();
CREATE TRIGGER subscription_phase BEFORE UPDATE ON public.subscriptions FOR EACH ROW EXECUTE FUNCTION check_subscription_phase();
CREATE TRIGGER who_bills_is_kept BEFORE UPDATE ON public.subscriptions FOR EACH ROW WHEN ((old.is_billed_elsewhere IS DISTINCT FROM new.is_billed_elsewhere)) EXECUTE FUNCTION keep_who_bills();

CREATE TABLE supplier_allocations (
  id uuid not null,
  supplier_invoice_id uuid not null,
  payment_id uuid,
  credit_note_id uuid,
  amount_minor bigint not null,
  allocated_at timestamp with time zone not null,
  constraint supplier_allocations_pkey PRIMARY KEY (id),
  constraint paid_once_each UNIQUE (payment_id, supplier_invoice_id),
  constraint supplier_allocations_credit_note_id_fkey FOREIGN KEY (credit_note_id) REFERENCES supplier_invoices(id),
  constraint supplier_allocations_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES supplier_payments(id),
  constraint supplier_allocations_supplier_invoice_id_fkey FOREIGN KEY (supplier_invoice_id) REFERENCES supplier_invoices(id),
  constraint set_against_by_one CHECK ((num_nonnulls(payment_id, credit_note_id) = 1)),
  constraint supplier_allocations_amount_minor_check CHECK ((amount_minor > 0))
);
CREATE INDEX supplier_allocations_by_credit_note ON public.supplier_allocations USING btree (credit_note_id) WHERE (credit_note_id IS NOT NULL);
CREATE INDEX supplier_allocations_by_invoice ON public.supplier_allocations USING btree (supplier_invoice_id);
CREATE TRIGGER supplier_allocation_immutable BEFORE DELETE OR UPDATE ON public.supplier_allocations FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER supplier_allocation_within_document AFTER INSERT ON public.supplier_allocations FOR EACH ROW EXECUTE FUNCTION guard_supplier_allocation();
CREATE CONSTRAINT TRIGGER supplier_payment_part_allocated AFTER INSERT ON public.supplier_allocations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_supplier_payment_part();

CREATE TABLE supplier_files (
  peer_id uuid not null,
  document_id uuid not null,
  media_type text not null,
  name text not null,
  sha256 bytea,
  content bytea,
  missing_reason text,
  received_at timestamp with time zone not null,
  constraint supplier_files_pkey PRIMARY KEY (peer_id, document_id, media_type),
  constraint supplier_files_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint file_or_reason CHECK ((((content IS NULL) = (missing_reason IS NOT NULL)) AND ((content IS NULL) = (sha256 IS NULL)))),
  constraint supplier_files_media_type_check CHECK ((media_type = ANY (ARRAY['application/pdf'::text, 'application/xml'::text]))),
  constraint supplier_files_missing_reason_check CHECK (((length(missing_reason) >= 1) AND (length(missing_reason) <= 300))),
  constraint supplier_files_name_check CHECK ((name ~ '^[A-Za-z0-9_.-]{1,120}$'::text)),
  constraint supplier_files_sha256_check CHECK ((length(sha256) = 32))
);
CREATE TRIGGER supplier_file_immutable BEFORE DELETE OR UPDATE ON public.supplier_files FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE supplier_invoices (
  id uuid not null,
  peer_id uuid,
  document_id uuid not null,
  sha256 bytea not null,
  kind text not null,
  number text not null,
  currency text not null,
  issued_on date not null,
  due_on date not null,
  net_minor bigint not null,
  tax_minor bigint not null,
  total_minor bigint not null,
  corrects_document_id uuid,
  content jsonb not null,
  disagreement text,
  received_at timestamp with time zone not null,
  supplier_id uuid not null,
  origin text not null,
  recorded_by text,
  owed_minor bigint not null default 
CASE kind
    WHEN 'credit_note'::text THEN (- total_minor)
    ELSE total_minor
END,
  voided_at timestamp with time zone,
  voided_by text,
  void_reason text,
  constraint supplier_invoices_pkey PRIMARY KEY (id),
  constraint received_once UNIQUE (peer_id, document_id),
  constraint supplier_invoices_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint supplier_invoices_supplier_id_fkey FOREIGN KEY (supplier_id) REFERENCES suppliers(id),
  constraint credit_note_corrects CHECK (((kind = 'credit_note'::text) OR (corrects_document_id IS NULL))),
  constraint from_one_source CHECK ((((origin = 'peer'::text) = (peer_id IS NOT NULL)) AND ((origin = 'peer'::text) = (recorded_by IS NULL)))),
  constraint supplier_invoices_check CHECK ((due_on >= issued_on)),
  constraint supplier_invoices_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint supplier_invoices_kind_check CHECK ((kind = ANY (ARRAY['invoice'::text, 'credit_note'::text]))),
  constraint supplier_invoices_number_check CHECK (((length(number) >= 1) AND (length(number) <= 100))),
  constraint supplier_invoices_origin_check CHECK ((origin = ANY (ARRAY['peer'::text, 'hand'::text, 'csv'::text, 'ubl'::text]))),
  constraint supplier_invoices_sha256_check CHECK ((length(sha256) = 32)),
  constraint supplier_invoices_void_reason_check CHECK (((length(void_reason) >= 1) AND (length(void_reason) <= 500))),
  constraint void_is_told CHECK ((num_nulls(voided_at, voided_by, void_reason) = ANY (ARRAY[0, 3]))),
  constraint void_only_by_hand CHECK (((voided_at IS NULL) OR (peer_id IS NULL)))
);
CREATE UNIQUE INDEX one_of_a_number ON public.supplier_invoices USING btree (supplier_id, number) WHERE ((peer_id IS NULL) AND (voided_at IS NULL));
CREATE INDEX supplier_invoices_by_correction ON public.supplier_invoices USING btree (supplier_id, corrects_document_id) WHERE (corrects_document_id IS NOT NULL);
CREATE INDEX supplier_invoices_by_number ON public.supplier_invoices USING btree (supplier_id, number);
CREATE INDEX supplier_invoices_by_peer ON public.supplier_invoices USING btree (peer_id, id DESC);
CREATE INDEX supplier_invoices_by_supplier ON public.supplier_invoices USING btree (supplier_id, document_id);
CREATE TRIGGER made_by_its_supplier AFTER INSERT ON public.supplier_invoices FOR EACH ROW EXECUTE FUNCTION guard_supplier_invoice();
CREATE TRIGGER supplier_invoice_immutable BEFORE UPDATE ON public.supplier_invoices FOR EACH ROW EXECUTE FUNCTION guard_supplier_invoice_void();
CREATE TRIGGER supplier_invoice_kept BEFORE TRUNCATE ON public.supplier_invoices FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER supplier_invoice_undeletable BEFORE DELETE ON public.supplier_invoices FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE supplier_payment_reversals (
  payment_id uuid not null,
  reason text not null,
  actor text not null,
  reversed_at timestamp with time zone not null,
  constraint supplier_payment_reversals_pkey PRIMARY KEY (payment_id),
  constraint supplier_payment_reversals_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES supplier_payments(id)
);
CREATE TRIGGER supplier_payment_reversal_immutable BEFORE DELETE OR UPDATE ON public.supplier_payment_reversals FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE supplier_payments (
  id uuid not null,
  supplier_id uuid not null,
  currency text not null,
  amount_minor bigint not null,
  paid_on date not null,
  reference text,
  actor text not null,
  recorded_at timestamp with time zone not null,
  constraint supplier_payments_pkey PRIMARY KEY (id),
  constraint supplier_payments_supplier_id_fkey FOREIGN KEY (supplier_id) REFERENCES suppliers(id),
  constraint supplier_payments_amount_minor_check CHECK ((amount_minor > 0)),
  constraint supplier_payments_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
);
CREATE INDEX supplier_payments_by_supplier ON public.supplier_payments USING btree (supplier_id, id DESC);
CREATE CONSTRAINT TRIGGER supplier_payment_allocated AFTER INSERT ON public.supplier_payments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_supplier_payment();
CREATE TRIGGER supplier_payment_immutable BEFORE DELETE OR UPDATE ON public.supplier_payments FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE supplier_standings (
  peer_id uuid not null,
  document_id uuid not null,
  state text not null,
  paid_minor bigint not null,
  credited_minor bigint not null,
  open_minor bigint not null,
  stands_since timestamp with time zone not null,
  received_at timestamp with time zone not null,
  constraint supplier_standings_pkey PRIMARY KEY (peer_id, document_id),
  constraint supplier_standings_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint supplier_standings_open_minor_check CHECK ((open_minor >= 0)),
  constraint supplier_standings_state_check CHECK ((state = ANY (ARRAY['open'::text, 'partly_paid'::text, 'paid'::text, 'credited'::text, 'uncollectible'::text, 'void'::text])))
);

CREATE TABLE supplier_subscriptions (
  id uuid not null,
  supplier_id uuid not null,
  name text not null,
  amount_minor bigint,
  line_text text,
  begins_on date not null,
  ends_on date,
  grace_days integer not null,
  recorded_by text not null,
  created_at timestamp with time zone not null default now(),
  constraint supplier_subscriptions_pkey PRIMARY KEY (id),
  constraint supplier_subscriptions_supplier_id_fkey FOREIGN KEY (supplier_id) REFERENCES suppliers(id),
  constraint expected_for_a_time CHECK ((ends_on >= begins_on)),
  constraint supplier_subscriptions_amount_minor_check CHECK ((amount_minor > 0)),
  constraint supplier_subscriptions_grace_days_check CHECK (((grace_days >= 0) AND (grace_days <= 90))),
  constraint supplier_subscriptions_line_text_check CHECK (((length(line_text) >= 1) AND (length(line_text) <= 2000))),
  constraint supplier_subscriptions_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);
CREATE INDEX supplier_subscriptions_by_supplier ON public.supplier_subscriptions USING btree (supplier_id);

CREATE TABLE supplier_tax_codes (
  supplier_id uuid not null,
  tax_category text not null,
  rate_percent numeric not null,
  tax_code text not null,
  agreed_by text not null,
  agreed_at timestamp with time zone not null,
  constraint supplier_tax_codes_pkey PRIMARY KEY (supplier_id, tax_category, rate_percent),
  constraint supplier_tax_codes_supplier_id_fkey FOREIGN KEY (supplier_id) REFERENCES suppliers(id),
  constraint supplier_tax_codes_rate_percent_check CHECK (((rate_percent >= (0)::numeric) AND (rate_percent <= (100)::numeric))),
  constraint supplier_tax_codes_tax_category_check CHECK (((length(tax_category) >= 1) AND (length(tax_category) <= 40))),
  constraint supplier_tax_codes_tax_code_check CHECK (((length(tax_code) >= 1) AND (length(tax_code) <= 40)))
);

CREATE TABLE supplier_uploads (
  supplier_invoice_id uuid not null,
  media_type text not null,
  sha256 bytea not null,
  content bytea not null,
  constraint supplier_uploads_pkey PRIMARY KEY (supplier_invoice_id),
  constraint supplier_uploads_supplier_invoice_id_fkey FOREIGN KEY (supplier_invoice_id) REFERENCES supplier_invoices(id),
  constraint supplier_uploads_media_type_check CHECK ((media_type = 'application/xml'::text)),
  constraint supplier_uploads_sha256_check CHECK ((length(sha256) = 32))
);
CREATE TRIGGER supplier_upload_immutable BEFORE DELETE OR UPDATE ON public.supplier_uploads FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE suppliers (
  id uuid not null,
  code text not null,
  name text not null,
  peer_id uuid,
  currency text not null,
  tax_id text,
  created_at timestamp with time zone not null default now(),
  constraint suppliers_pkey PRIMARY KEY (id),
  constraint suppliers_code_key UNIQUE (code),
  constraint suppliers_peer_id_key UNIQUE (peer_id),
  constraint suppliers_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id),
  constraint suppliers_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{0,59}$'::text)),
  constraint suppliers_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
  constraint suppliers_name_check CHECK (((length(name) >= 1) AND (length(name) <= 300)))
);

CREATE TABLE suspensions (
  id uuid not null,
  subscription_id uuid not null,
  code text not null,
  reason text not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  lifted_by text,
  lifted_at timestamp with time zone,
  constraint suspensions_pkey PRIMARY KEY (id),
  constraint suspensions_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint suspensions_code_check CHECK ((code ~ '^[a-z][a-z0-9_]{0,39}$'::text)),
  constraint suspensions_lifted_check CHECK (((lifted_at IS NULL) = (lifted_by IS NULL)))
);
CREATE UNIQUE INDEX one_open_suspension ON public.suspensions USING btree (subscription_id, code) WHERE (lifted_at IS NULL);

CREATE TABLE taken_over_objects (
  instance_id uuid not null,
  server_id uuid not null,
  kind text not null,
  component text not null,
  name text not null,
  external_id text not null,
  taken_at timestamp with time zone not null default now(),
  released_at timestamp with time zone,
  constraint taken_over_objects_pkey PRIMARY KEY (instance_id, kind, component),
  constraint taken_over_objects_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint taken_over_objects_server_id_fkey FOREIGN KEY (server_id) REFERENCES servers(id),
  constraint taken_over_objects_check CHECK ((((kind = 'volume'::text) AND (external_id = name)) OR (external_id ~ '^[0-9a-f]{64}$'::text))),
  constraint taken_over_objects_kind_check CHECK ((kind = ANY (ARRAY['container'::text, 'volume'::text])))
);
CREATE UNIQUE INDEX one_owner_per_object ON public.taken_over_objects USING btree (server_id, kind, external_id) WHERE (released_at IS NULL);

CREATE TABLE tasks (
  id uuid not null,
  kind text not null,
  subject_kind text not null,
  subject_id uuid not null,
  subject text not null,
  detail text not null,
  created_at timestamp with time zone not null default now(),
  closed_at timestamp with time zone,
  closed_reason text,
  constraint tasks_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX one_open_task ON public.tasks USING btree (kind, subject_kind, subject_id) WHERE (closed_at IS NULL);

CREATE TABLE tax_answers (
  id uuid not null,
  seller_country text not null,
  buyer_country text not null,
  buyer_region text,
  is_business boolean not null,
  is_tax_id_verified boolean not null,
  product_category text not null,
  valid_in daterange not null,
  decision jsonb not null,
  source text not null,
  answered_at timestamp with time zone not null,
  constraint tax_answers_pkey PRIMARY KEY (id),
  constraint tax_answers_decision_check CHECK ((decision ?& ARRAY['category'::text, 'rates'::text, 'note'::text])),
  constraint tax_answers_source_check CHECK ((source <> ''::text)),
  constraint tax_answers_valid_in_check CHECK ((NOT isempty(valid_in)))
);
CREATE INDEX tax_answers_by_facts ON public.tax_answers USING btree (seller_country, buyer_country, product_category);
CREATE TRIGGER tax_answer_immutable BEFORE DELETE OR UPDATE ON public.tax_answers FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE tax_id_checks (
  id uuid not null,
  customer_id uuid not null,
  tax_id text not null,
  answer text not null,
  consultation_number text,
  registered_name text,
  failure text,
  checked_at timestamp with time zone not null,
  constraint tax_id_checks_pkey PRIMARY KEY (id),
  constraint tax_id_checks_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint tax_id_checks_answer_check CHECK ((answer = ANY (ARRAY['valid'::text, 'invalid'::text, 'unreachable'::text]))),
  constraint tax_id_checks_check CHECK (((answer = 'unreachable'::text) = (failure IS NOT NULL))),
  constraint tax_id_checks_check1 CHECK (((answer <> 'unreachable'::text) OR (consultation_number IS NULL)))
);
CREATE INDEX tax_id_checks_by_customer ON public.tax_id_checks USING btree (customer_id, id DESC);
CREATE TRIGGER tax_id_check_immutable BEFORE DELETE OR UPDATE ON public.tax_id_checks FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE tax_questions (
  id uuid not null,
  seller_country text not null,
  buyer_country text not null,
  buyer_region text,
  is_business boolean not null,
  is_tax_id_verified boolean not null,
  product_category text not null,
  on_date date not null,
  asked_since timestamp with time zone not null,
  attempts integer not null default 0,
  next_try_at timestamp with time zone not null,
  last_error text,
  constraint tax_questions_pkey PRIMARY KEY (id),
  constraint one_tax_question UNIQUE NULLS NOT DISTINCT (seller_country, buyer_country, buyer_region, is_business, is_tax_id_verified, product_category, on_date),
  constraint tax_questions_attempts_check CHECK ((attempts >= 0))
);

CREATE TABLE tax_rates (
  id uuid not null,
  country text not null,
  region text,
  category text not null default 'standard'::text,
  name text not null,
  rate_percent numeric not null,
  valid_in daterange not null default daterange(NULL::date, NULL::date),
  created_at timestamp with time zone not null default now(),
  constraint tax_rates_pkey PRIMARY KEY (id),
  constraint tax_rates_country_coalesce_category_name_valid_in_excl EXCLUDE USING gist (country WITH =, COALESCE(region, ''::text) WITH =, category WITH =, name WITH =, valid_in WITH &&),
  constraint tax_rates_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
  constraint tax_rates_rate_percent_check CHECK (((rate_percent >= (0)::numeric) AND (rate_percent <= (100)::numeric))),
  constraint tax_rates_valid_in_check CHECK ((NOT isempty(valid_in)))
);

CREATE TABLE test_clocks (
  id uuid not null,
  number integer not null generated always as identity,
  name text not null,
  now_at timestamp with time zone not null,
  target_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint test_clocks_pkey PRIMARY KEY (id),
  constraint test_clocks_number_key UNIQUE (number)
);
CREATE TRIGGER test_clock_forward BEFORE UPDATE ON public.test_clocks FOR EACH ROW EXECUTE FUNCTION refuse_backward_clock();

CREATE TABLE told_expense_mappings (
  peer_id uuid not null,
  content jsonb not null,
  told_at timestamp with time zone not null,
  constraint told_expense_mappings_pkey PRIMARY KEY (peer_id),
  constraint told_expense_mappings_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES peers(id)
);

CREATE TABLE unit_reservations (
  id uuid not null,
  instance_id uuid not null,
  limit_code text not null,
  quantity numeric not null,
  reference text,
  reserved_by text not null,
  reserved_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  confirmed_at timestamp with time zone,
  released_at timestamp with time zone,
  constraint unit_reservations_pkey PRIMARY KEY (id),
  constraint unit_reservations_instance_id_limit_code_fkey FOREIGN KEY (instance_id, limit_code) REFERENCES limits(instance_id, code),
  constraint unit_reservations_check CHECK ((expires_at > reserved_at)),
  constraint unit_reservations_quantity_check CHECK ((quantity > (0)::numeric))
);
CREATE INDEX unit_reservations_held ON public.unit_reservations USING btree (instance_id, limit_code) WHERE (released_at IS NULL);
CREATE TRIGGER units_within_limit BEFORE INSERT OR UPDATE ON public.unit_reservations FOR EACH ROW EXECUTE FUNCTION check_units();

CREATE TABLE unsettled_windows (
  usage_window_id uuid not null,
  reason text not null,
  noted_at timestamp with time zone not null default now(),
  measured_by xid8,
  constraint unsettled_windows_pkey PRIMARY KEY (usage_window_id),
  constraint unsettled_windows_usage_window_id_fkey FOREIGN KEY (usage_window_id) REFERENCES usage_windows(id),
  constraint unsettled_windows_reason_check CHECK ((reason = ANY (ARRAY['pending'::text, 'late_reading'::text])))
);

CREATE TABLE usage_events (
  id uuid not null,
  source text not null,
  event_id text not null,
  subscription_id uuid not null,
  metric text not null,
  quantity numeric not null,
  unit text not null,
  occurred_at timestamp with time zone not null,
  received_at timestamp with time zone not null default now(),
  is_late boolean not null default false,
  properties jsonb,
  reverses_id uuid,
  started_at timestamp with time zone,
  constraint usage_events_pkey PRIMARY KEY (id),
  constraint usage_events_source_event_id_key UNIQUE (source, event_id),
  constraint usage_events_reverses_id_fkey FOREIGN KEY (reverses_id) REFERENCES usage_events(id),
  constraint usage_events_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint quantity_below_zero_reverses CHECK ((((reverses_id IS NULL) AND (quantity >= (0)::numeric)) OR ((quantity < (0)::numeric) AND (reverses_id IS NOT NULL)))),
  constraint usage_events_check1 CHECK ((reverses_id <> id)),
  constraint usage_events_properties_check CHECK ((jsonb_typeof(properties) = 'object'::text)),
  constraint usage_span_in_order CHECK ((started_at < occurred_at))
);
CREATE UNIQUE INDEX one_reversal_per_event ON public.usage_events USING btree (reverses_id) WHERE (reverses_id IS NOT NULL);
CREATE INDEX usage_events_by_time ON public.usage_events USING btree (subscription_id, metric, occurred_at);

CREATE TABLE usage_warnings (
  id uuid not null,
  subscription_id uuid not null,
  kind text not null,
  first_line_id uuid,
  subject text not null,
  threshold text not null,
  period_starts_on date not null,
  used numeric not null,
  ceiling numeric not null,
  unit text not null,
  warned_at timestamp with time zone not null,
  constraint usage_warnings_pkey PRIMARY KEY (id),
  constraint warned_once UNIQUE NULLS NOT DISTINCT (subscription_id, kind, first_line_id, subject, threshold, period_starts_on),
  constraint usage_warnings_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint usage_warnings_check CHECK (((kind = 'limit'::text) = (first_line_id IS NOT NULL))),
  constraint usage_warnings_kind_check CHECK ((kind = ANY (ARRAY['limit'::text, 'spend'::text]))),
  constraint usage_warnings_threshold_check CHECK ((threshold <> ''::text))
);

CREATE TABLE usage_windows (
  id uuid not null,
  subscription_line_id uuid not null,
  metric text not null,
  quantity numeric not null,
  unit text not null,
  window_period tstzrange not null,
  reading_count integer not null,
  event_count integer not null,
  first_read_at timestamp with time zone,
  last_read_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  is_late boolean not null default false,
  is_pending boolean not null default false,
  constraint usage_windows_pkey PRIMARY KEY (id),
  constraint usage_windows_subscription_line_id_window_period_excl EXCLUDE USING gist (subscription_line_id WITH =, window_period WITH &&) WHERE ((NOT is_late)),
  constraint usage_windows_subscription_line_id_fkey FOREIGN KEY (subscription_line_id) REFERENCES subscription_lines(id),
  constraint only_first_windows_are_pending CHECK ((NOT (is_pending AND is_late))),
  constraint usage_windows_check CHECK (((quantity >= (0)::numeric) OR is_late)),
  constraint usage_windows_window_period_check CHECK (((NOT isempty(window_period)) AND (NOT lower_inf(window_period)) AND (NOT upper_inf(window_period))))
);
CREATE INDEX late_windows ON public.usage_windows USING btree (subscription_line_id) WHERE is_late;
CREATE INDEX pending_windows ON public.usage_windows USING btree (metric, upper(window_period)) WHERE is_pending;
CREATE TRIGGER usage_window_immutable BEFORE DELETE OR UPDATE ON public.usage_windows FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER usage_window_kept BEFORE TRUNCATE ON public.usage_windows FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE used_trials (
  customer_id uuid not null,
  product_id uuid not null,
  test_clock_id uuid,
  order_id uuid not null,
  constraint one_trial_per_customer UNIQUE NULLS NOT DISTINCT (customer_id, product_id, test_clock_id),
  constraint used_trials_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers(id),
  constraint used_trials_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
  constraint used_trials_product_id_fkey FOREIGN KEY (product_id) REFERENCES products(id),
  constraint used_trials_test_clock_id_fkey FOREIGN KEY (test_clock_id) REFERENCES test_clocks(id)
);

CREATE TABLE waiting_changes (
  id uuid not null,
  subscription_id uuid not null,
  first_line_id uuid not null,
  request_id text not null,
  asked jsonb not null,
  product text not null,
  from_text text not null,
  to_text text not null,
  instance_id uuid not null,
  limit_code text not null,
  ceiling numeric not null,
  asked_by text not null,
  asked_at timestamp with time zone not null,
  told_on date not null,
  state text not null default 'waiting'::text,
  decided_by text,
  decided_at timestamp with time zone,
  refused_reason text,
  constraint waiting_changes_pkey PRIMARY KEY (id),
  constraint waiting_changes_subscription_id_request_id_key UNIQUE (subscription_id, request_id),
  constraint waiting_changes_first_line_id_fkey FOREIGN KEY (first_line_id) REFERENCES subscription_lines(id),
  constraint waiting_changes_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES instances(id),
  constraint waiting_changes_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES subscriptions(id),
  constraint waiting_change_decided CHECK ((((state = 'waiting'::text) = (decided_at IS NULL)) AND ((decided_at IS NULL) = (decided_by IS NULL)))),
  constraint waiting_change_refused CHECK (((state = 'refused'::text) = (refused_reason IS NOT NULL))),
  constraint waiting_changes_ceiling_check CHECK ((ceiling >= (0)::numeric)),
  constraint waiting_changes_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'applied'::text, 'withdrawn'::text, 'replaced'::text, 'refused'::text])))
);
CREATE UNIQUE INDEX one_waiting_change ON public.waiting_changes USING btree (first_line_id) WHERE (state = 'waiting'::text);
CREATE INDEX waiting_changes_of_limit ON public.waiting_changes USING btree (instance_id, limit_code) WHERE (state = 'waiting'::text);
CREATE INDEX waiting_changes_of_subscription ON public.waiting_changes USING btree (subscription_id, id);

CREATE TABLE webhook_attempts (
  id bigint not null generated always as identity,
  webhook_id uuid not null,
  event_id bigint not null,
  at timestamp with time zone not null,
  duration_ms integer not null,
  status integer,
  failure text,
  answer text,
  constraint webhook_attempts_pkey PRIMARY KEY (id),
  constraint webhook_attempts_webhook_id_event_id_fkey FOREIGN KEY (webhook_id, event_id) REFERENCES webhook_deliveries(webhook_id, event_id) ON DELETE CASCADE,
  constraint answered_or_not CHECK ((((status IS NULL) = (failure IS NOT NULL)) AND ((status IS NULL) = (answer IS NULL)))),
  constraint webhook_attempts_answer_check CHECK ((length(answer) <= 500)),
  constraint webhook_attempts_duration_ms_check CHECK ((duration_ms >= 0)),
  constraint webhook_attempts_failure_check CHECK (((length(failure) >= 1) AND (length(failure) <= 1000))),
  constraint webhook_attempts_status_check CHECK (((status >= 100) AND (status <= 999)))
);
CREATE INDEX webhook_attempts_by_delivery ON public.webhook_attempts USING btree (webhook_id, event_id, id);

CREATE TABLE webhook_deliveries (
  webhook_id uuid not null,
  event_id bigint not null,
  state text not null default 'waiting'::text,
  revision integer not null default 0,
  failures integer not null default 0,
  first_failed_at timestamp with time zone,
  queued_at timestamp with time zone not null default now(),
  due_at timestamp with time zone not null default now(),
  settled_at timestamp with time zone,
  constraint webhook_deliveries_pkey PRIMARY KEY (webhook_id, event_id),
  constraint webhook_deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES events(id),
  constraint webhook_deliveries_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhooks(id) ON DELETE CASCADE,
  constraint failed_first CHECK (((failures = 0) = (first_failed_at IS NULL))),
  constraint settled_once CHECK (((state = 'waiting'::text) = (settled_at IS NULL))),
  constraint webhook_deliveries_failures_check CHECK ((failures >= 0)),
  constraint webhook_deliveries_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'given_up'::text])))
);
CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (webhook_id, due_at, event_id) WHERE (state = 'waiting'::text);
CREATE INDEX webhook_deliveries_new ON public.webhook_deliveries USING btree (webhook_id) WHERE ((state = 'waiting'::text) AND (failures = 0));
CREATE INDEX webhook_deliveries_old ON public.webhook_deliveries USING btree (queued_at);

CREATE TABLE webhook_secrets (
  id uuid not null,
  webhook_id uuid not null,
  key_id text not null,
  sealed bytea not null,
  made_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  constraint webhook_secrets_pkey PRIMARY KEY (id),
  constraint webhook_secrets_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhooks(id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX one_signing_secret ON public.webhook_secrets USING btree (webhook_id) WHERE (expires_at IS NULL);

CREATE TABLE webhooks (
  id uuid not null,
  url text not null,
  description text not null,
  kinds text[],
  state text not null default 'enabled'::text,
  disabled_reason text,
  failing_since timestamp with time zone,
  rests integer not null default 0,
  rests_until timestamp with time zone,
  last_delivered_at timestamp with time zone,
  is_awake boolean not null default false,
  created_at timestamp with time zone not null,
  created_by text not null,
  constraint webhooks_pkey PRIMARY KEY (id),
  constraint disabled_with_a_reason CHECK (((state = 'disabled'::text) = (disabled_reason IS NOT NULL))),
  constraint webhooks_description_check CHECK ((length(description) <= 200)),
  constraint webhooks_disabled_reason_check CHECK (((length(disabled_reason) >= 1) AND (length(disabled_reason) <= 1000))),
  constraint webhooks_kinds_check CHECK (((cardinality(kinds) >= 1) AND (cardinality(kinds) <= 100))),
  constraint webhooks_rests_check CHECK ((rests >= 0)),
  constraint webhooks_state_check CHECK ((state = ANY (ARRAY['enabled'::text, 'disabled'::text, 'deleted'::text]))),
  constraint webhooks_url_check CHECK (((url ~ '^https?://'::text) AND (length(url) <= 2048)))
);

create view readings as
 SELECT series.instance_id,
    series.metric,
    series.series,
    read.value,
    series.unit,
    read.is_opening,
    read.read_at,
    read.sampled_at
   FROM (reading_series series
     CROSS JOIN LATERAL ( SELECT reading_values.value,
            reading_values.is_opening,
            reading_values.read_at,
            reading_values.sampled_at
           FROM reading_values
          WHERE ((reading_values.series_id = series.id) AND (reading_values.sampled_at >= ( SELECT reading_store.rolled_up_to
                   FROM reading_store)))
        UNION ALL
         SELECT one.value,
            COALESCE(one.is_opening, false) AS "coalesce",
            one.read_at,
            COALESCE(one.sampled_at, one.read_at) AS "coalesce"
           FROM reading_hours,
            LATERAL UNNEST(reading_hours.read_values, reading_hours.openings, reading_hours.read_ats, reading_hours.sampled_ats) one(value, is_opening, read_at, sampled_at)
          WHERE (reading_hours.series_id = series.id)) read);
