//! Limits: what a client may ask for. Each holds for one client and all that are split off from it, and only narrows.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A limit of a service.
pub trait Limit: Clone + Debug + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// Something that this one grants and `outer` does not; none when it lies within.
    fn beyond(&self, outer: &Self) -> Option<String>;

    /// How much may be had altogether, where that is limited. Clients that are split off draw on the same amount.
    fn amount(&self) -> Option<u64> {
        None
    }
}

/// All that there is, or only these.
///
/// ```
/// use belljar::service::{Limit, Only};
///
/// let (few, one): (Only, Only) = (Only::these(["alice", "bob"]), Only::these(["bob"]));
/// assert_eq!(one.beyond(&few), None);
/// assert_eq!(few.beyond(&one).as_deref(), Some("alice"));
/// assert_eq!(few.beyond(&Only::All), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Only<T: Ord = String> {
    /// All that the service has.
    All,
    /// These.
    These(BTreeSet<T>),
}

impl<T: Ord> Only<T> {
    /// Only these.
    #[must_use]
    pub fn these<U: Into<T>>(these: impl IntoIterator<Item = U>) -> Self {
        Self::These(these.into_iter().map(Into::into).collect())
    }

    /// Whether it grants this one.
    #[must_use]
    pub fn has<Q: Ord + ?Sized>(&self, one: &Q) -> bool
    where
        T: std::borrow::Borrow<Q>,
    {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(one),
        }
    }

    /// Those that are named.
    pub(super) fn named(&self) -> impl Iterator<Item = &T> {
        let these = match self {
            Self::All => None,
            Self::These(these) => Some(these),
        };
        these.into_iter().flatten()
    }
}

impl<T> Limit for Only<T>
where
    T: Ord + Clone + Debug + Send + Sync + Serialize + DeserializeOwned + 'static + Named,
{
    fn beyond(&self, outer: &Self) -> Option<String> {
        match (self, outer) {
            (_, Self::All) => None,
            (Self::All, Self::These(_)) => Some("everything".to_owned()),
            (Self::These(inner), Self::These(outer)) => inner.difference(outer).next().map(Named::named),
        }
    }
}

/// What limits list, in words.
pub trait Named {
    /// In words.
    fn named(&self) -> String;
}

impl Named for String {
    fn named(&self) -> String {
        self.clone()
    }
}

impl Named for std::path::PathBuf {
    fn named(&self) -> String {
        crate::error::shown(self)
    }
}

/// So many bytes altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amount {
    /// As many as are wanted.
    Any,
    /// This many.
    Bytes(u64),
}

impl Amount {
    pub(super) fn bytes(self) -> Option<u64> {
        match self {
            Self::Any => None,
            Self::Bytes(bytes) => Some(bytes),
        }
    }
}

impl Limit for Amount {
    fn beyond(&self, outer: &Self) -> Option<String> {
        match (self, outer) {
            (_, Self::Any) => None,
            (Self::Any, Self::Bytes(_)) => Some("any amount".to_owned()),
            (Self::Bytes(inner), Self::Bytes(outer)) if inner > outer => Some(format!("{inner} bytes")),
            _ => None,
        }
    }

    fn amount(&self) -> Option<u64> {
        self.bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn only() -> impl Strategy<Value = Only> {
        prop_oneof![Just(Only::All), prop::collection::btree_set("[a-d]", 0..4).prop_map(Only::These),]
    }

    fn amount() -> impl Strategy<Value = Amount> {
        prop_oneof![Just(Amount::Any), (0..9_u64).prop_map(Amount::Bytes)]
    }

    proptest! {
        #[test]
        fn what_lies_within_grants_nothing_more(inner in only(), outer in only(), name in "[a-e]") {
            if inner.beyond(&outer).is_none() {
                prop_assert!(!inner.has(name.as_str()) || outer.has(name.as_str()));
            }
            prop_assert_eq!(inner.beyond(&inner), None);
        }

        #[test]
        fn narrowing_is_transitive(a in only(), b in only(), c in only()) {
            if a.beyond(&b).is_none() && b.beyond(&c).is_none() {
                prop_assert_eq!(a.beyond(&c), None);
            }
        }

        #[test]
        fn amounts_within_are_no_larger(inner in amount(), outer in amount()) {
            let larger = match (inner.amount(), outer.amount()) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(inner), Some(outer)) => inner > outer,
            };
            prop_assert_eq!(inner.beyond(&outer).is_some(), larger);
        }
    }
}
