/**
 * The product's table of refusals. Each code has one HTTP status (`api/errors.ts`), a public sentence and a
 * test that provokes it. Sorted, so that a new one has one place.
 */
export type ErrorCode =
  | 'action_not_allowed'
  | 'addon_not_available'
  | 'already_linked'
  | 'already_reversed'
  | 'amount_too_large'
  | 'application_refused'
  | 'application_unknown'
  | 'backup_expired'
  | 'backup_failed'
  | 'backup_not_restorable'
  | 'before_last_billed_day'
  | 'below_current_use'
  | 'billed_elsewhere'
  | 'billing_timing_invalid'
  | 'billing_type_invalid'
  | 'body_too_large'
  | 'build_not_retryable'
  | 'change_not_allowed'
  | 'change_not_waiting'
  | 'change_request_decided'
  | 'change_requested_already'
  | 'charge_billed'
  | 'clock_backwards'
  | 'clock_too_far'
  | 'clock_unknown'
  | 'code_taken'
  | 'command_failed'
  | 'container_exited'
  | 'credentials_ambiguous'
  | 'credit_exceeds_invoice'
  | 'csv_malformed'
  | 'currency_mismatch'
  | 'currency_unknown'
  | 'customer_limit_reached'
  | 'customer_unknown'
  | 'database_unreachable'
  | 'data_source_refused'
  | 'data_source_unknown'
  | 'date_range_invalid'
  | 'dependency_cycle'
  | 'deployed_elsewhere'
  | 'deployer_refuses'
  | 'discount_code_unknown'
  | 'discount_code_used_up'
  | 'discount_invalid'
  | 'dispute_closed'
  | 'dispute_not_ours'
  | 'dispute_open'
  | 'dispute_unreachable'
  | 'document_number_taken'
  | 'event_values_missing'
  | 'exchange_rate_missing'
  | 'expense_category_unknown'
  | 'external_id_taken'
  | 'feature_unknown'
  | 'field_invalid'
  | 'field_required'
  | 'formula_invalid'
  | 'formula_not_allowed'
  | 'formula_too_expensive'
  | 'grid_bounds_unstated'
  | 'id_kind_mismatch'
  | 'idempotency_key_in_use'
  | 'idempotency_key_invalid'
  | 'idempotency_key_missing'
  | 'idempotency_key_reused'
  | 'image_changed'
  | 'image_gone'
  | 'image_unknown'
  | 'image_unreachable'
  | 'in_use'
  | 'internal_error'
  | 'invitation_expired'
  | 'invitation_invalid'
  | 'invitation_unknown'
  | 'invitation_used'
  | 'invoice_empty'
  | 'invoice_field_missing'
  | 'invoice_finalized'
  | 'invoice_too_long'
  | 'json_malformed'
  | 'key_invalid'
  | 'kit_cycle'
  | 'kit_too_deep'
  | 'limit_not_enforceable'
  | 'limit_not_in_force'
  | 'limit_reached'
  | 'limit_unknown'
  | 'link_cycle'
  | 'link_expired'
  | 'link_missing'
  | 'login_not_offered'
  | 'login_required'
  | 'media_type_unsupported'
  | 'metric_archived'
  | 'metric_unknown'
  | 'name_invalid'
  | 'name_taken'
  | 'name_taken_on_server'
  | 'no_refund_due'
  | 'no_server_for_application'
  | 'not_a_credit'
  | 'not_an_invoice'
  | 'not_credited'
  | 'not_finalized'
  | 'not_found'
  | 'not_ready_in_time'
  | 'nothing_to_pay'
  | 'number_pattern_ambiguous'
  | 'offer_in_use'
  | 'order_active'
  | 'order_empty'
  | 'order_ended'
  | 'order_not_draft'
  | 'order_not_held'
  | 'order_too_large'
  | 'origin_refused'
  | 'out_of_stock'
  | 'paid_in_future'
  | 'payer_invalid'
  | 'payment_exceeds_invoice'
  | 'payment_not_as_requested'
  | 'payment_request_closed'
  | 'payment_reversed'
  | 'peer_audience_wrong'
  | 'peer_cycle'
  | 'peer_document_conflict'
  | 'peer_halted'
  | 'peer_is_own'
  | 'peer_kind_refused'
  | 'peer_message_expired'
  | 'peer_message_repeated'
  | 'peer_messages_wait'
  | 'peer_refuses'
  | 'peer_sequence_gap'
  | 'peer_signature_refused'
  | 'peer_taken'
  | 'peer_unknown'
  | 'peer_unreachable'
  | 'peer_url_refused'
  | 'peer_version_unknown'
  | 'phases_invalid'
  | 'placeholder_unknown'
  | 'port_taken_on_server'
  | 'ports_exhausted'
  | 'prefix_fixed'
  | 'prefix_taken'
  | 'price_changed'
  | 'price_list_cycle'
  | 'price_list_unknown'
  | 'price_missing_in_currency'
  | 'price_negative'
  | 'product_archived'
  | 'product_builds_here'
  | 'product_hidden'
  | 'product_unknown'
  | 'quantity_invalid'
  | 'quantity_negative'
  | 'quantity_not_whole'
  | 'quantity_unchanged'
  | 'quote_expired'
  | 'reading_without_value'
  | 'reason_required'
  | 'recurrence_invalid'
  | 'registry_host_invalid'
  | 'registry_login_failed'
  | 'reinstated_already'
  | 'repair_failed'
  | 'reversal_too_large'
  | 'reversed_event_unknown'
  | 'scope_missing'
  | 'secret_shown'
  | 'series_stopped'
  | 'server_disk_full'
  | 'server_in_use'
  | 'server_unknown'
  | 'server_unreachable'
  | 'simulation_too_large'
  | 'subnet_full'
  | 'subnet_taken_on_server'
  | 'subnets_exhausted'
  | 'subscription_ended'
  | 'subscription_not_begun'
  | 'subscription_unknown'
  | 'sums_disagree'
  | 'supplier_invoice_immutable'
  | 'supplier_invoice_paid'
  | 'supplier_invoice_void'
  | 'supplier_is_peer'
  | 'supplier_mismatch'
  | 'supplier_unknown'
  | 'suspended'
  | 'tax_answer_missing'
  | 'tax_id_invalid'
  | 'tax_rate_missing'
  | 'tax_rate_overlaps'
  | 'template_invalid'
  | 'template_unknown'
  | 'temporal_unreachable'
  | 'terms_not_accepted'
  | 'tiers_invalid'
  | 'token_expired'
  | 'token_unknown'
  | 'token_used'
  | 'too_many_requests'
  | 'trial_used'
  | 'ubl_unreadable'
  | 'unit_not_convertible'
  | 'unit_unknown'
  | 'usage_event_conflict'
  | 'usage_event_in_future'
  | 'usage_event_too_late'
  | 'usage_event_too_long'
  | 'usage_not_taken'
  | 'variable_missing'
  | 'verification_invalid'
  | 'volume_missing'
  | 'webhook_url_refused'
  | 'window_without_dates'
  | 'xml_malformed'

/** One wrong field: `pointer` is a JSON pointer (RFC 6901) into the request body. */
export interface FieldError {
  readonly pointer: string
  readonly code: ErrorCode
  readonly detail: string
}

/** A refusal: nothing was changed, `detail` says what was wrong and what to do. */
export class BusinessError extends Error {
  readonly code: ErrorCode
  readonly fields: readonly FieldError[]

  constructor(
    code: ErrorCode,
    detail: string,
    options: { fields?: readonly FieldError[]; cause?: unknown } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'BusinessError'
    this.code = code
    this.fields = options.fields ?? []
  }
}

/** A refusal of one field of the input. */
export function fieldError(pointer: string, code: ErrorCode, detail: string): BusinessError {
  return new BusinessError(code, detail, { fields: [{ pointer, code, detail }] })
}

/** Gives a refusal that knows of no field the pointer of the field that was checked. */
export function atField<T>(pointer: string, check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof BusinessError && error.fields.length === 0) {
      throw fieldError(pointer, error.code, error.message)
    }
    throw error
  }
}

/** Of a login link: whether it was never there, is used or is too old, is not told to whoever tries. */
export function linkExpired(): BusinessError {
  return new BusinessError('link_expired', 'This login link was used already, or is too old.')
}

/** The sentence of whatever was thrown: what a person is told when no code of ours says it better. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
