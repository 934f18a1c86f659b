/** Rules of other engines that are not ours, and why. An adapter names the entry; nothing is excused by its id. */
export const decisions: Readonly<Record<string, string>> = {
  contract_template:
    "OCA makes one contract of each contract template in an order. Ours has no such templates: a customer's lines gather on documents by interval, currency and anchor (C-01, C-02), and a subscription is changed by its own customer only.",
  other_runs:
    "OCA's runs that make sale orders, or that are started by hand from a list: ours make invoices, report what failed by document and go on (C-15). Where such a case states dates, they are checked.",
  subscription_oca:
    'Another module of OCA, with stages and a daily job of its own. Its step from one invoice to the next is checked; its stages are not ours.',
  termination_right:
    'Who may terminate, for which reason, and what is noted of it is a matter of rights and rows (C-36), not of the engine; the end that it sets is checked.',
}
