use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;

const KINDS: [Kind; 3] = [Kind::Gauge, Kind::Counter, Kind::Delta];

/// Readings in the order of time, in some quarters.
fn readings() -> impl Strategy<Value = Vec<Point>> {
    vec((0_i64..12 * 900, 0_i64..1_000_000), 1..60).prop_map(|readings| {
        let mut points: Vec<_> = readings
            .into_iter()
            .map(|(second, value)| Point { at: second * SECOND, value })
            .collect();
        points.sort_by_key(|point| point.at);
        points.dedup_by_key(|point| point.at);
        points
    })
}

fn rising(mut points: Vec<Point>) -> Vec<Point> {
    let mut values: Vec<_> = points.iter().map(|point| point.value).collect();
    values.sort_unstable();
    points.iter_mut().zip(values).for_each(|(point, value)| point.value = value);
    points
}

fn cells(kind: Kind, width: Width, points: &[Point]) -> Vec<Cell> {
    let by_start = points.chunk_by(|one, other| width.start_of(one.at) == width.start_of(other.at));
    by_start.filter_map(|points| roll(kind, width.start_of(points[0].at), points, &[])).collect()
}

fn line(kind: Kind, cells: &[Cell]) -> Line<'_> {
    Line { kind, cells, is_whole: true, exchanges: &[] }
}

fn borders(step: usize) -> Vec<i64> {
    (0..=12).map(|index| index * 900 * SECOND).step_by(step).collect()
}

proptest! {
    #[test]
    fn what_is_made_of_parts_is_what_is_made_at_once(
        points in readings(), cuts in vec(any::<Index>(), 0..6), kind in 0_usize..3,
    ) {
        let kind = KINDS[kind];
        let points = rising(points);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(points.len())).collect();
        cuts.extend([0, points.len()]);
        cuts.sort_unstable();
        let parts = cuts.windows(2).filter_map(|pair| roll(kind, 0, &points[pair[0]..pair[1]], &[]));
        let parts: Vec<_> = parts.collect();
        prop_assert_eq!(join(kind, 0, &parts, &[]), roll(kind, 0, &points, &[]));
    }

    #[test]
    fn hours_are_made_of_quarters(points in readings(), kind in 0_usize..3) {
        let kind = KINDS[kind];
        let points = rising(points);
        let quarters = cells(kind, Width::Quarter, &points);
        let hours = cells(kind, Width::Hour, &points);
        let of_quarters = series(line(kind, &quarters), &borders(4));
        for (one, other) in series(line(kind, &hours), &borders(4)).into_iter().zip(of_quarters) {
            let values = |bucket: &Bucket| {
                bucket.readings.map(|all| (all.first, all.last, all.min, all.max, all.sum))
            };
            prop_assert_eq!(values(&one), values(&other));
            prop_assert_eq!(one.consumption, other.consumption);
            prop_assert_eq!((one.count, one.integral, one.known), (other.count, other.integral, other.known));
        }
    }

    #[test]
    fn the_sum_is_kept(points in readings()) {
        let points = rising(points);
        let cells = cells(Kind::Counter, Width::Quarter, &points);
        for step in [1, 2, 3, 4, 6, 12] {
            let buckets = series(line(Kind::Counter, &cells), &borders(step));
            let sum: i128 = buckets.iter().filter_map(|bucket| bucket.consumption).sum();
            let [first, last] = [points[0].value, points[points.len() - 1].value];
            prop_assert_eq!(sum, i128::from(last - first), "{}", step);
        }
    }

    #[test]
    fn deltas_sum_to_what_was_consumed(points in readings()) {
        let cells = cells(Kind::Delta, Width::Quarter, &points);
        let buckets = series(line(Kind::Delta, &cells), &borders(1));
        let sum: i128 = buckets.iter().filter_map(|bucket| bucket.consumption).sum();
        prop_assert_eq!(sum, points.iter().map(|point| i128::from(point.value)).sum::<i128>());
    }

    /// Each value holds until the next one, and the last for no time.
    #[test]
    fn the_values_of_a_gauge_are_weighted_by_time(points in readings()) {
        let cells = cells(Kind::Gauge, Width::Quarter, &points);
        let buckets = series(line(Kind::Gauge, &cells), &borders(1));
        let held = |pair: &[Point]| i128::from(pair[0].value) * i128::from(pair[1].at - pair[0].at);
        let whole: i128 = points.windows(2).map(held).sum();
        let known = i128::from(points[points.len() - 1].at - points[0].at);
        prop_assert_eq!(buckets.iter().map(|bucket| bucket.integral).sum::<i128>(), whole);
        prop_assert_eq!(buckets.iter().map(|bucket| bucket.known).sum::<i128>(), known);
    }
}
