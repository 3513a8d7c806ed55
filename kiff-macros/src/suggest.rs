//! "Did you mean": which of the valid names the user most probably meant, and how a list of names reads.

/// The most names that a message lists.
const LISTED: usize = 10;

/// The positions of the candidates that are close enough to be meant, all equally close.
pub(crate) fn closest(name: &str, candidates: &[String]) -> Vec<usize> {
    let distances: Vec<Option<usize>> = candidates.iter().map(|candidate| distance(name, candidate)).collect();
    let Some(best) = distances.iter().flatten().min().copied() else {
        return Vec::new();
    };
    let is_best = |(position, distance): (usize, &Option<usize>)| (*distance == Some(best)).then_some(position);
    distances.iter().enumerate().filter_map(is_best).collect()
}

/// What to say after a word that is none of `candidates`: the one that was meant, or all that are valid.
pub(crate) fn hint(name: &str, plural: &str, candidates: &[String]) -> String {
    match closest(name, candidates).first().and_then(|position| candidates.get(*position)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if candidates.len() == 1 => format!("the only one is {}", enumerate(candidates, "and")),
        None => format!("the {plural} are {}", enumerate(candidates, "and")),
    }
}

/// The name as it is with a small first letter, if it has a capital: `paid` of `Paid`.
pub(crate) fn begun_small(name: &str) -> Option<String> {
    let mut letters = name.chars();
    let first = letters.next().filter(|first| first.is_uppercase())?;
    Some(first.to_lowercase().chain(letters).collect())
}

/// `` `A`, `B` and `C` ``, cut off after ten.
pub(crate) fn enumerate<S: AsRef<str>>(names: &[S], conjunction: &str) -> String {
    let quoted: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{}`", name.as_ref())).collect();
    let more = names.len().saturating_sub(LISTED);
    match (quoted.split_last(), more) {
        (None, _) => String::new(),
        (Some(_), 1..) => format!("{} and {more} more", quoted.join(", ")),
        (Some((only, [])), 0) => only.clone(),
        (Some((last, rest)), 0) => format!("{} {conjunction} {last}", rest.join(", ")),
    }
}

/// The number of edits between two names if they are close: one edit in four letters, and none in names of two letters.
fn distance(name: &str, candidate: &str) -> Option<usize> {
    let length = name.chars().count().max(candidate.chars().count());
    let edits = strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase());
    let allowed = if length < 3 { 0 } else { (length / 4).max(1) };
    (edits <= allowed).then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_close_name_is_meant() {
        let states = names(&["Created", "Paid", "Refunded"]);
        assert_eq!(hint("Piad", "states", &states), "did you mean `Paid`?");
        assert_eq!(hint("refund", "states", &states), "did you mean `Refunded`?");
        assert_eq!(hint("Shipped", "states", &states), "the states are `Created`, `Paid` and `Refunded`");
        assert_eq!(hint("B", "states", &names(&["A"])), "the only one is `A`");
    }

    #[test]
    fn two_names_that_are_equally_close_are_both_found() {
        assert_eq!(closest("Hald", &names(&["Held", "Sold", "Hold"])), [0, 2]);
        assert_eq!(closest("OrderPaid", &names(&["OrderPlaced"])), [0; 0]);
    }

    #[test]
    fn a_long_list_is_cut_off() {
        let many: Vec<String> = (0..12).map(|number| format!("S{number:02}")).collect();
        assert!(enumerate(&many, "and").ends_with("`S09` and 2 more"));
        assert_eq!(enumerate(&names(&["A"]), "and"), "`A`");
        assert_eq!(enumerate(&names(&["A", "B"]), "or"), "`A` or `B`");
    }
}
