//! Why a report is refused, in the documented words.

/// Why a report is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReportRefusal {
    /// `skip` is no number, or below zero.
    #[error("skip must be 0 or more")]
    Skip,
    /// `take` is no number, or out of range.
    #[error("take must be between 1 and 100")]
    Take,
    /// A date that cannot be read.
    #[error("Invalid date format")]
    DateFormat,
    /// No id or code has such a character, and the database takes none.
    #[error("{0} must not contain a NUL character")]
    Nul(&'static str),
    /// A parameter was sent twice.
    #[error("{0} must be given only once")]
    Repeated(&'static str),
    /// The dates are in the wrong order.
    #[error("End date cannot be before start date")]
    EndBeforeStart,
    /// The dates are too far apart.
    #[error("Date range cannot exceed 1 month")]
    TooLong,
    /// The account has no processor whose books could be reported.
    #[error("Payment provider not found")]
    NoProvider,
    /// What each report has words of its own for: one of its [`Terms`].
    #[error("{0}")]
    Worded(&'static str),
}

/// What the reports do not have in common. The texts are theirs, letter by letter.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Whether it knows `payoutId`.
    pub(crate) takes_payout_id: bool,
    /// A sub-account that is not `number.number`.
    pub(crate) sub_account_format: &'static str,
    /// A code, and a filter with it that is no date.
    pub(crate) code_with_filter: &'static str,
    /// A code, and dates.
    pub(crate) code_with_dates: &'static str,
    /// Neither a code nor both dates.
    pub(crate) nothing_asked: &'static str,
}

impl Terms {
    /// The payment transactions report's.
    pub(crate) const TRANSACTIONS: Self = Self {
        takes_payout_id: false,
        sub_account_format: "Invalid sub account ID (format must be accountId.subAccountId)",
        code_with_filter: "Cannot use confirmation code with date range or sub account ID",
        code_with_dates: "Cannot filter by date range and confirmation code at the same time",
        nothing_asked: "Date range or reservation confirmation code is required",
    };

    /// The payouts reconciliation report's.
    pub(crate) const PAYOUTS: Self = Self {
        takes_payout_id: true,
        sub_account_format: "subAccountId must be in the format number.number",
        code_with_filter: "reservationConfirmationCode cannot be combined with other filters",
        code_with_dates: "reservationConfirmationCode cannot be combined with other filters",
        nothing_asked: "Date range is required",
    };
}
