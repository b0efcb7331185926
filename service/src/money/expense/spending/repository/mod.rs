mod compute;
mod deltas;
mod sums;
mod totals;

pub(super) use compute::compute_totals;
pub(in crate::money::expense) use deltas::append;
pub(super) use deltas::{delete_deltas, deltas, next_with_deltas};
pub(crate) use sums::{Row, SumsQuery, sums};
pub(super) use totals::{
    add_totals, backfilled, delete_totals, insert_backfill, is_backfilled, totals,
};
