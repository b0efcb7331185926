use proptest::{collection::vec, prelude::*};

use super::*;
use crate::meter::meter::DropRule;

fn point(at: i64, value: i64) -> Point {
    Point { at, value }
}

fn kept(at: i64, kind: ExchangeKind, (before, after): (i64, i64), cause: Cause) -> Kept {
    Kept { at, kind, before, after, cause }
}

fn drops(rule: DropRule, points: &[Point], rows: &[Kept]) -> Result<Drops, Contradiction> {
    Drops::of((rule, Some(1000)), &[Stretch::Whole(points.to_vec())], rows)
}

fn consumed(from: Point, to: Point, exchanges: &[Exchange]) -> i128 {
    segments(Kind::Counter, from, to, exchanges).iter().map(|segment| segment.amount).sum()
}

fn exchange(row: &Kept) -> Exchange {
    Exchange { at: row.at, before: row.before, after: row.after }
}

#[test]
fn a_drop_is_what_the_rule_says() {
    let points = [point(0, 990), point(10, 20)];
    for (rule, kind, (before, after), consumption) in [
        (DropRule::Rollover, ExchangeKind::Rollover, (1000, 0), 30),
        (DropRule::Reset, ExchangeKind::Reset, (990, 0), 20),
        (DropRule::Ask, ExchangeKind::Undecided, (990, 20), 0),
    ] {
        let found = drops(rule, &points, &[]).expect("no contradiction");
        let row = kept(10, kind, (before, after), Cause::Rule);
        assert_eq!(found, Drops { removed: vec![], put: vec![row] });
        assert_eq!(consumed(points[0], points[1], &[exchange(&row)]), consumption);
        assert_eq!(drops(rule, &points, &[row]), Ok(Drops::default()), "it is there already");
    }
}

#[test]
fn a_drop_that_is_none_any_more_has_no_row() {
    let row = kept(10, ExchangeKind::Reset, (990, 0), Cause::Rule);
    let rising = [point(0, 10), point(10, 20)];
    let gone = Drops { removed: vec![10], put: vec![] };
    assert_eq!(drops(DropRule::Reset, &rising, &[row]), Ok(gone));
    // A late reading: the counter drops there, and no more where it did.
    let late = [point(0, 990), point(5, 3), point(10, 20)];
    let moved = kept(5, ExchangeKind::Reset, (990, 0), Cause::Rule);
    let expected = Drops { removed: vec![10], put: vec![moved] };
    assert_eq!(drops(DropRule::Reset, &late, &[row]), Ok(expected));
}

#[test]
fn what_somebody_has_decided_stays_as_long_as_it_can_be_true() {
    let decided = kept(10, ExchangeKind::Reset, (995, 5), Cause::Decision);
    let at_first = [point(0, 990), point(10, 20)];
    assert_eq!(drops(DropRule::Ask, &at_first, &[decided]), Ok(Drops::default()));
    let corrected = [point(0, 999), point(10, 20)];
    let asked = kept(10, ExchangeKind::Undecided, (999, 20), Cause::Rule);
    let expected = Drops { removed: vec![], put: vec![asked] };
    assert_eq!(drops(DropRule::Ask, &corrected, &[decided]), Ok(expected));
}

#[test]
fn what_was_entered_stays_and_what_contradicts_it_is_refused() {
    let entered = kept(5, ExchangeKind::Exchange, (995, 7), Cause::Entry);
    let fitting = [point(0, 990), point(10, 20)];
    assert_eq!(drops(DropRule::Ask, &fitting, &[entered]), Ok(Drops::default()));
    assert_eq!(
        segments(Kind::Counter, fitting[0], fitting[1], &[exchange(&entered)]),
        [Segment { from: 0, to: 5, amount: 5 }, Segment { from: 5, to: 10, amount: 13 }],
    );
    for wrong in [[point(0, 996), point(10, 20)], [point(0, 990), point(10, 6)]] {
        let refused = Contradiction { at: 10, exchange_at: 5 };
        assert_eq!(drops(DropRule::Ask, &wrong, &[entered]), Err(refused));
    }
}

#[test]
fn stretches_are_neighbours() {
    let stretches = [
        Stretch::Ends(point(0, 100), point(10, 900)),
        Stretch::Whole(vec![point(20, 5), point(30, 50), point(40, 40)]),
        Stretch::Ends(point(50, 30), point(60, 10)),
    ];
    let found = Drops::of((DropRule::Reset, None), &stretches, &[]).expect("no contradiction");
    let at: Vec<_> = found.put.iter().map(|row| row.at).collect();
    assert_eq!(at, [20, 40, 50]);
}

proptest! {
    /// Whatever the borders are.
    #[test]
    fn the_parts_of_a_segment_sum_to_the_whole(
        amount in -1_000_000_i128..1_000_000, length in 0_i64..1000, borders in vec(-10_i64..1010, 0..20),
    ) {
        let segment = Segment { from: 0, to: length, amount };
        let mut borders = borders;
        borders.extend([-1, 1010]);
        borders.sort_unstable();
        let sum: i128 = borders.windows(2).map(|pair| segment.within(pair[0], pair[1])).sum();
        prop_assert_eq!(sum, amount);
        if amount >= 0 {
            prop_assert!(borders.windows(2).all(|pair| segment.within(pair[0], pair[1]) >= 0));
        }
    }

    /// By any rule, consumption is never negative, and without a drop it is what the counter says.
    #[test]
    fn a_drop_is_never_negative_consumption(values in vec(0_i64..1000, 2..30), rule in 0_usize..3) {
        let rule = [DropRule::Rollover, DropRule::Reset, DropRule::Ask][rule];
        let points: Vec<_> = (0..).zip(values).map(|(at, value)| point(at, value)).collect();
        let found = drops(rule, &points, &[]).expect("nothing was entered");
        let exchanges: Vec<_> = found.put.iter().map(exchange).collect();
        for pair in points.windows(2) {
            let consumed = consumed(pair[0], pair[1], &exchanges);
            prop_assert!(consumed >= 0);
            if pair[1].value >= pair[0].value {
                prop_assert_eq!(consumed, i128::from(pair[1].value - pair[0].value));
            }
        }
        prop_assert_eq!(drops(rule, &points, &found.put), Ok(Drops::default()));
    }
}
