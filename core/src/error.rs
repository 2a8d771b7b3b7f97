//! Why a request is refused; each dialect spells it in its own envelope.

use crate::auth::Role;
use crate::dialect::ParamError;
use crate::plan::{Failure, Offer};
use http::StatusCode;
use std::fmt;
use std::time::Duration;

/// A refusal. What is displayed is meant for the person who sent the request and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The path is not percent-encoded UTF-8.
    Path,
    /// No such path.
    Route,
    /// The path has other methods.
    Method {
        /// Those that it has, as `Allow` spells them.
        allow: String,
    },
    /// No key, or one that is unknown, revoked or expired.
    Unauthorized,
    /// The key's role does not allow it.
    Role {
        /// What would.
        needed: Role,
    },
    /// A key of one project asks for what concerns all.
    Organisation,
    /// A key of one project names another.
    OtherProject {
        /// The one it named.
        project: String,
    },
    /// An organisation-wide key has to say which project it means.
    ProjectRequired,
    /// The project has several environments and none was named.
    EnvironmentRequired {
        /// Those it has.
        known: Vec<String>,
    },
    /// A query parameter or header field.
    Param(ParamError),
    /// A cursor that does not belong here.
    Cursor {
        /// The parameter.
        name: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The query language.
    Query {
        /// What is wrong.
        detail: String,
        /// Where, in bytes of the query.
        position: usize,
        /// What to write instead.
        hint: Option<String>,
    },
    /// The JSON in the request's body.
    Body(String),
    /// What the path names is not there, or not for this key.
    Missing(Thing),
    /// None of the bytes asked for exist.
    Range {
        /// How many do.
        size: u64,
    },
    /// The operation failed.
    Failed(Failure),
}

/// What a path can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A record.
    Entry,
    /// A captured body.
    Body,
    /// The request of a record that has none.
    Request,
    /// A project.
    Project,
    /// A key.
    Key,
}

impl Thing {
    const fn name(self) -> &'static str {
        match self {
            Self::Entry => "log",
            Self::Body => "body",
            Self::Request => "request",
            Self::Project => "project",
            Self::Key => "key",
        }
    }
}

impl From<ParamError> for Error {
    fn from(error: ParamError) -> Self {
        Self::Param(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => f.write_str("The path is not percent-encoded UTF-8."),
            Self::Route => f.write_str("There is nothing at this path."),
            Self::Method { allow } => write!(f, "This path takes {allow}."),
            Self::Unauthorized => {
                f.write_str("A valid key is needed: send it as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'.")
            }
            Self::Role { needed: Role::Admin } => f.write_str("This needs a key of the role admin."),
            Self::Role { needed } => write!(f, "This needs a key of the role {} or admin.", needed.name()),
            Self::Organisation => f.write_str("This needs an organisation-wide admin key."),
            Self::OtherProject { project } => write!(f, "This key does not belong to the project '{project}'."),
            Self::ProjectRequired => f.write_str("An organisation-wide key needs the parameter project."),
            Self::EnvironmentRequired { known } => {
                write!(f, "The project has several environments; name one with environment: {}.", known.join(", "))
            }
            Self::Param(error) => write!(f, "{error}."),
            Self::Cursor { name, reason } => write!(f, "{name}: {reason}."),
            Self::Query { detail, position, .. } => write!(f, "{detail} (at byte {position} of q)"),
            Self::Body(detail) => f.write_str(detail),
            Self::Missing(thing) => write!(f, "There is no such {}.", thing.name()),
            Self::Range { size } => write!(f, "The range lies outside of the {size} bytes that were captured."),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// Seconds as a header field has them: rounded up, so that who waits so long has waited enough.
pub(crate) const fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + if time.subsec_nanos() > 0 { 1 } else { 0 }
}

impl Failure {
    /// The status that says it.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Busy { .. } | Self::Closing | Self::ReadOnly => StatusCode::SERVICE_UNAVAILABLE,
            Self::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
            Self::TooMuchWork => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::NotOffered(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Corrupt | Self::Changed { .. } | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A stable name in `snake_case`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::Limited { .. } => "rate_limited",
            Self::Closing => "closing",
            Self::DiskFull => "disk_full",
            Self::ReadOnly => "read_only",
            Self::Corrupt => "corrupt",
            Self::TooMuchWork => "too_much_work",
            Self::TooLarge { .. } => "too_large",
            Self::Encoding(_) => "unsupported_encoding",
            Self::Body(_) => "invalid_body",
            Self::Missing => "not_found",
            Self::NotOffered(_) => "not_offered",
            Self::Changed { .. } => "file_changed",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { .. } => f.write_str("The server has too much to do at once; try again shortly."),
            Self::Limited { retry_after } => {
                write!(f, "Too many requests; try again in {} s.", whole_seconds(*retry_after).max(1))
            }
            Self::Closing => f.write_str("The server is shutting down; try again shortly."),
            Self::DiskFull => {
                f.write_str("Free space is down to the reserve; delete records or free space, then send this again.")
            }
            Self::ReadOnly => f.write_str("The store cannot be written at the moment; reading goes on."),
            Self::Corrupt => f.write_str("Stored data is damaged; run 'reqlog doctor' on the server."),
            Self::TooMuchWork => f.write_str("This needs more work than is allowed; narrow it, by time for example."),
            Self::TooLarge { limit } => {
                write!(f, "The request's body is larger than {limit} bytes; split it into several requests.")
            }
            Self::Encoding(detail) | Self::Body(detail) => f.write_str(detail),
            Self::Missing => f.write_str("What was to be changed is not there."),
            Self::NotOffered(Offer::Metrics) => {
                f.write_str("This deployment has no /metrics; use the platform's own observability.")
            }
            Self::NotOffered(Offer::Backup) => f.write_str(
                "This deployment has no backup of its own; back up with 'GET /api/v1/export?format=ndjson'.",
            ),
            Self::NotOffered(Offer::Write) => f.write_str(
                "Opened files are only read; start 'reqlog serve --data <dir>' and import them to change anything.",
            ),
            Self::NotOffered(Offer::Tail) => f.write_str(
                "Opened files have no live stream, because nothing is added to them; read them with 'GET /api/v1/logs'.",
            ),
            Self::Changed { name } => {
                f.write_str("The opened file ")?;
                name.iter().try_for_each(|name| write!(f, "'{name}' "))?;
                f.write_str("is not what it was when it was indexed; open it again.")
            }
            Self::Internal => f.write_str("The server failed to answer this request."),
        }
    }
}
