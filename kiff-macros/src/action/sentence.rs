//! How code reads inside of a sentence: types as people write them, and the signature that should stand there.

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Pat, Type};

use super::duty::Duty;
use super::kind;
use super::model::{Argument, Borrowed, Executor, Parameter};

/// The name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Tokens as people write them: `Option<Vec<u8>>`.
pub(crate) fn code(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.into_token_stream(), &mut text);
    text.trim_end().to_owned()
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut arrow = false;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) => {
                let letter = punct.as_char();
                let opens_arrow = letter == '-' && punct.spacing() == Spacing::Joint;
                match letter {
                    ',' | ';' => text.extend([letter, ' ']),
                    '=' | '+' => text.extend([' ', letter, ' ']),
                    '-' if opens_arrow => text.push_str(" -"),
                    '>' if arrow => text.push_str("> "),
                    _ => text.push(letter),
                }
                arrow = opens_arrow;
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
            }
            word => {
                if text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
            }
        }
    }
}

/// `write`, and the signature that would be right, as far as the macro can know it.
pub(crate) fn write_signature(executor: &Executor) -> String {
    let mut services = 0;
    let mut executions = 0;
    let arguments: Vec<String> = executor
        .arguments
        .iter()
        .filter_map(|argument| match argument {
            Argument::Receiver(_) => None,
            Argument::Services(borrowed) => match owned(&borrowed.reference.elem) {
                Some(owned) => Some(format!("{}: {owned}", name(&borrowed.typed.pat))),
                None => first(&mut services).then(|| self::borrowed(borrowed)),
            },
            Argument::Execution(borrowed) => first(&mut executions).then(|| self::borrowed(borrowed)),
            Argument::Parameter(parameter) => Some(self::parameter(executor.duty, parameter, &mut executions)),
        })
        .filter(|argument| !argument.is_empty())
        .collect();
    let returned = match executor.returned() {
        Some(returned) if kind::last_segment(returned).is_some() => code(returned),
        _ => executor.duty.returned().to_owned(),
    };
    format!("write `async fn {}({}) -> {returned}`", executor.signature.ident, arguments.join(", "))
}

fn first(count: &mut usize) -> bool {
    *count += 1;
    *count == 1
}

fn borrowed(borrowed: &Borrowed) -> String {
    let elem = kind::peel(&borrowed.reference.elem);
    format!("{}: &{}", name(&borrowed.typed.pat), code(elem))
}

fn parameter(duty: Duty, parameter: &Parameter, executions: &mut usize) -> String {
    let typed = &parameter.typed.ty;
    let name = name(&parameter.typed.pat);
    match kind::peel(typed) {
        Type::ImplTrait(_) | Type::Infer(_) | Type::Macro(_) | Type::Never(_) => format!("{name}: …"),
        _ if kind::is_execution(typed) => {
            if first(executions) {
                format!("{name}: &{}", code(typed))
            } else {
                String::new()
            }
        }
        other if duty == Duty::Reconcile => format!("{name}: {}", code(other)),
        other => format!("{}{name}: {}", rules(parameter), code(other)),
    }
}

/// The rules as they stand before the parameter: a signature that is pasted from a message must not lose them.
fn rules(parameter: &Parameter) -> String {
    let rules: Vec<String> = parameter.rules.iter().map(|rule| code(&rule.tokens)).collect();
    if rules.is_empty() { String::new() } else { format!("#[param({})] ", rules.join(", ")) }
}

/// The owned form of a type that is only known behind a reference: `String` for `str`.
pub(crate) fn owned(typed: &Type) -> Option<String> {
    match kind::peel(typed) {
        Type::Slice(slice) => Some(format!("Vec<{}>", code(&slice.elem))),
        typed => {
            let name = kind::last_segment(typed)?.ident.to_string();
            match name.as_str() {
                "str" | "String" => Some("String".to_owned()),
                "Path" => Some("PathBuf".to_owned()),
                "OsStr" => Some("OsString".to_owned()),
                _ if kind::Kind::of(typed) != kind::Kind::Unknown => Some(code(typed)),
                _ => None,
            }
        }
    }
}

/// The name that a pattern has or should have.
fn name(pattern: &Pat) -> String {
    match pattern {
        Pat::Ident(pattern) => pattern.ident.to_string(),
        _ => "name".to_owned(),
    }
}
