//! What is added up over all matching rows: counts by time, by value and by endpoint.
//!
//! Every number here is exact but for one, and that one says so: see [`Durations`]. Memory is bounded; where a bound cuts
//! something off, the answer says that it is not [complete](Facets::complete), and what it holds is still exact.

mod durations;
mod endpoints;
mod facets;
mod histogram;

pub use durations::Durations;
pub(crate) use endpoints::Call;
pub use endpoints::{Calls, Endpoint, EndpointCounts, EndpointOrder, Endpoints, EndpointsQuery, template};
pub use facets::{Facet, FacetKey, Facets, FacetsQuery, Ranking};
pub use histogram::{Bucket, Grid, Histogram, HistogramQuery, TooManyBuckets, Width, window};
