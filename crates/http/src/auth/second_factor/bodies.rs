//! What requests about second factors hold, and what they are answered. What is done is in the parent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The challenge of the first step, and a code.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorRequest)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(super) struct StepRequest {
    /// The `challenge` of the refusal.
    challenge: String,
    /// A code of the app, or a recovery code.
    code: String,
    /// `cookie`: keep the refresh token in a cookie instead of the answer.
    #[schema(required = false)]
    refresh_in: Option<String>,
}

/// The password, once more.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorEnrolment)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(super) struct EnrolRequest {
    /// The password.
    password: String,
}

/// A code.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorCode)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(super) struct CodeRequest {
    /// A code of the app.
    code: String,
}

/// The password and a code, once more.
#[derive(Deserialize, ToSchema)]
#[schema(as = SecondFactorProof)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read member by member")]
pub(super) struct ProofRequest {
    /// The password.
    password: String,
    /// A code of the app, or a recovery code.
    code: String,
}

/// The state of a second factor.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactor)]
pub(super) struct FactorReply {
    /// Whether log-ins ask for it.
    pub(super) enabled: bool,
    /// Since when.
    pub(super) confirmed_at: Option<DateTime<Utc>>,
    /// Recovery codes that were not used.
    pub(super) recovery_codes_left: i64,
}

/// What an authenticator app must be told.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactorSecret)]
pub(super) struct EnrolReply {
    /// The secret in Base32, to be typed.
    pub(super) secret: String,
    /// The same as an `otpauth://` URI, to be shown as a QR code.
    pub(super) uri: String,
}

/// Recovery codes, each good for one log-in.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub(super) struct CodesReply {
    /// The codes.
    pub(super) recovery_codes: Vec<String>,
}
