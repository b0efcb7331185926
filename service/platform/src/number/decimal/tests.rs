use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    Decimal::of(&serde_json::from_str(text).expect("a number"))
}

fn written(number: &Decimal) -> String {
    number.to_number().to_string()
}

#[test]
fn a_number_is_the_same_however_it_is_written() {
    for (one, others) in [
        ("1", &["1.0", "1e0", "10E-1", "0.1e+1", "1.000"][..]),
        ("0", &["-0", "0.0", "0e99", "-0.00e-7"]),
        ("1200", &["1.2e3", "12e2", "1200.00"]),
        ("-0.05", &["-5e-2", "-0.0500", "-50e-0003"]),
    ] {
        for other in others {
            assert_eq!(decimal(one), decimal(other), "{one} {other}");
            assert_eq!(written(&decimal(other)), one);
        }
    }
}

#[test]
fn numbers_are_written_as_javascript_does() {
    for (text, expected) in [
        ("100000000000000000000", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("123456789012345678901234567890", "1.2345678901234567890123456789e+29"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("-12.50", "-12.5"),
    ] {
        assert_eq!(written(&decimal(text)), expected);
    }
}

#[test]
fn the_range_is_that_of_the_first_digit() {
    for (text, expected) in [
        ("9.9e10999", true),
        ("1e11000", false),
        ("1e-10999", true),
        ("0.1e-10999", false),
        ("1e99999999999999999999999", false),
        ("1e-99999999999999999999999", false),
        ("0e99999999999999999999999", true),
    ] {
        assert_eq!(decimal(text).is_in_range(), expected, "{text}");
    }
}

#[test]
fn an_exponent_is_exact_to_seventeen_digits() {
    for (text, expected) in [
        ("1e9999999999999999", true),
        ("-1e-9999999999999999", true),
        ("1e999999999999999999999", false),
        ("1e-999999999999999999999", false),
        ("0e999999999999999999999", true),
    ] {
        assert_eq!(decimal(text).is_exact(), expected, "{text}");
    }
}

#[test]
fn sums_lose_no_digit() {
    for (one, other, sum) in [
        ("0.1", "0.2", "0.3"),
        ("999.99", "0.01", "1000"),
        ("1000", "-0.01", "999.99"),
        ("-5", "5.0", "0"),
        ("-1.5", "-2.5", "-4"),
        ("2", "-3", "-1"),
        ("1e20", "1e-5", "100000000000000000000.00001"),
        ("9007199254740993", "1", "9007199254740994"),
    ] {
        assert_eq!(written(&decimal(one).plus(&decimal(other))), sum);
        assert_eq!(written(&decimal(other).plus(&decimal(one))), sum);
    }
    let far = decimal("1e9999").plus(&decimal("1e-9999"));
    assert_eq!(far.digits().len(), 19_999);
}

#[test]
fn quotients_are_rounded_half_to_even() {
    for (number, count, quotient) in [
        ("10", 4, "2.5"),
        ("1", 3, "0.3333333333333333333333333333333333"),
        ("2", 3, "0.6666666666666666666666666666666667"),
        ("-2", 3, "-0.6666666666666666666666666666666667"),
        ("0", 7, "0"),
        ("10000000000000000000000000000000001", 2, "5e+33"),
        ("10000000000000000000000000000000003", 2, "5.000000000000000000000000000000002e+33"),
        ("99999999999999999999999999999999999", 1, "1e+35"),
        ("1.0000000000000000000000000000000000000015", 1, "1"),
    ] {
        let found = decimal(number).divided_by(count).expect("a quotient");
        assert_eq!(written(&found), quotient, "{number} / {count}");
    }
    assert_eq!(decimal("1").divided_by(0), None);
}

proptest! {
    #[test]
    fn sums_and_order_are_those_of_integers(one in any::<i64>(), other in any::<i64>(), places in 0_u32..9) {
        let of = |number: i128| decimal(&format!("{number}e-{places}"));
        let (one, other) = (i128::from(one), i128::from(other));
        prop_assert_eq!(of(one).plus(&of(other)), of(one + other));
        prop_assert_eq!(of(one).cmp(&of(other)), one.cmp(&other));
    }

    #[test]
    fn a_quotient_times_its_divisor_is_the_number(number in -1_000_000_i64..1_000_000, count in 1_u64..1_000) {
        let product = number * i64::try_from(count).expect("small");
        prop_assert_eq!(decimal(&product.to_string()).divided_by(count), Some(decimal(&number.to_string())));
    }

    #[test]
    fn what_is_written_is_read_as_the_same(text in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?(e[+-]?[0-9]{1,4})?") {
        let number = decimal(&text);
        prop_assert_eq!(decimal(&written(&number)), number);
    }
}
