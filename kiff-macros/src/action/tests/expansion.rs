//! What stands in the expansion, and what in the stub.

use super::{action2, divide};

pub(super) fn expansion(source: &str) -> String {
    let (duty, attribute, item) = divide(source);
    let (expansion, _) = action2(duty, attribute, item);
    let file: syn::File = syn::parse2(expansion).expect("an expansion must be items");
    let tokens = quote::quote!(#file).to_string();
    tokens.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_fn_disappears_into_the_executor() {
    let text = expansion(
        "#[action(Refund::Run)] #[inline] /// Runs.\n pub(crate) async fn go(desk: &Desk, mut a: u8) -> Result<Ran, Failure> {}",
    );
    assert!(text.contains("pub (crate) struct Run { # [doc = \"The parameter `a`.\"] pub a : u8 , }"), "{text}");
    assert!(text.contains("# [inline] async fn go (desk : & Desk , mut a : u8)"), "{text}");
    assert!(text.contains("# [doc = \" Runs.\"] pub (crate) struct Run"), "{text}");
    assert_eq!(text.matches("Refund").count(), 2, "once for editors, and once for rustc: {text}");
}

#[test]
fn a_condition_holds_for_everything() {
    let text = expansion("#[action(Refund::Run)] #[cfg(unix)] async fn go() -> Result<Ran, Failure> {}");
    assert_eq!(text.matches("# [cfg (unix)]").count(), 2, "{text}");
    assert!(text.contains("pub struct Run ;"), "{text}");
}

#[test]
fn every_type_but_a_primitive_is_asked_whether_it_is_a_float() {
    let asked = |parameter: &str| {
        let text = expansion(&format!("#[action(Refund::Run)] async fn go({parameter}) -> Result<Ran, Failure> {{}}"));
        text.matches(":: kiff :: __private :: Float ::").count()
    };
    for parameter in ["a: u8", "a: Option<Vec<bool>>", "a: (char, [u8; 4])", "#[param(float(\"a share\"))] a: f64"] {
        assert_eq!(asked(parameter), 0, "{parameter}");
    }
    for parameter in ["a: Cents", "a: HashMap<String, u8>", "a: shop::u8", "#[param(float(\"a share\"))] a: Cents"] {
        assert_eq!(asked(parameter), 1, "{parameter}");
    }
    // Each part of what may be a tuple.
    assert_eq!(asked("a: Vec<Money>"), 4);
    assert_eq!(asked("#[param(float(\"a share\"))] a: Money"), 0);
    // Whether the types beside a float are floats as well says nothing about its waiver.
    for typed in ["BTreeMap<String, f64>", "Vec<(Cents, f64)>", "Option<HashMap<String, Vec<f32>>>"] {
        assert_eq!(asked(&format!("#[param(float(\"a share\"))] a: {typed}")), 0, "{typed}");
    }
}

#[test]
fn a_stub_runs_the_body_without_the_rules() {
    let text =
        expansion("#[action(Refund::Run)] async fn go(#[param(range(min = 1))] a: bool) -> Result<Ran, Failure> {}");
    assert!(text.contains("async fn go (a : bool)"), "{text}");
    assert!(!text.contains("is_within"), "{text}");
}

#[test]
fn a_stub_of_a_fn_that_cannot_run_keeps_it_beside() {
    let text = expansion("#[action(Refund::Run)] fn go(&self, a: u8, b: &str) -> Result<Ran, Failure> { typed }");
    assert!(text.contains("loop { }"), "{text}");
    assert!(text.contains("# [cfg (rust_analyzer)] async fn go (& self , a : u8 , b : & str)"), "{text}");
    assert!(text.contains("pub struct Run { # [doc = \"The parameter `a`.\"] pub a : u8 , }"), "{text}");
}

#[test]
fn a_method_becomes_what_can_stand_in_an_impl() {
    for source in [
        "#[action(Refund::Run)] pub async fn go(&self, a: u8) -> Result<Ran, Failure> {}",
        "#[action(Run)] async fn go(self: &Self) {}",
        "#[reconcile(Refund::Run)] async fn go(&self) -> Result<Reconciled<Ran>, Failure> {}",
    ] {
        let text = expansion(source);
        assert!(syn::parse_str::<syn::ImplItemFn>(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_fn_of_several_actions_leaves_none_of_them_without_an_executor() {
    let text = expansion(
        "#[action(Refund::Run)] #[kiff::action(Refund::Stop)] #[action(Refund::Stop)] #[reconcile(Refund::Ask)] \
         async fn go(a: u8) -> Result<Ran, Failure> {}",
    );
    assert!(!text.contains("# [action") && !text.contains("# [kiff"), "{text}");
    assert_eq!(text.matches(":: Executes <").count(), 2, "{text}");
    for name in ["Run", "Stop"] {
        assert_eq!(text.matches(&format!("pub struct {name} {{")).count(), 1, "{text}");
    }
}

#[test]
fn without_an_action_only_the_fn_is_left() {
    let text = expansion("#[action(Run)] async fn go(/** A. */ #[param(range(min = 1))] a: u8) {}");
    assert!(text.contains("async fn go (a : u8) { }"), "{text}");
    assert!(!text.contains("struct"), "{text}");
}

#[test]
fn an_editor_gets_the_path_first_whatever_is_wrong() {
    let hook = |path: &str| {
        format!(
            "# [allow (unexpected_cfgs)] const _ : () = {{ # [cfg (rust_analyzer)] fn path () {{ use {path} ; }} }} ;"
        )
    };
    for (attribute, path) in [
        ("Refund::Run", "Refund :: Run"),
        ("Refund::", "Refund :: *"),
        ("Refund::Run, crate = trust", "Refund :: Run"),
        ("Ref", "Ref"),
    ] {
        for function in ["async fn go() -> Result<Ran, Failure> {}", "fn go(&self) {}", "struct Go;"] {
            let text = expansion(&format!("#[action({attribute})] {function}"));
            let method = "# [allow (dead_code , non_local_definitions)] fn __go () { ";
            assert!(text.strip_prefix(method).unwrap_or(&text).starts_with(&hook(path)), "{text}");
        }
    }
}
