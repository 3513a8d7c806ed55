//! How an error is printed that a `main` ends with: as its message.

/// Gives an error a `Debug` that is its message: Rust prints that of an error that `main` returns, and whoever runs the program is
/// told what is wrong and not which variant of a type it is.
macro_rules! debug_as_message {
    ($error:ty) => {
        impl ::std::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }
    };
}

pub(crate) use debug_as_message;
