//! What one Rust source file says: its unsafe code, its functions, the paths it names.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::tree;

/// The folders that hold Rust source.
const FOLDERS: &[&str] = &["crates", "xtask", "escape", "bench", "tests", "examples", "fuzz"];

/// Every Rust file of the repository.
pub(crate) fn all() -> Result<Vec<PathBuf>> {
    let present = FOLDERS.iter().filter(|folder| tree::root().join(folder).is_dir());
    let lists = present.map(|folder| tree::files(folder, "rs")).collect::<Result<Vec<_>>>()?;
    Ok(lists.concat())
}

/// Reads and parses one file.
pub(crate) fn parse(file: &Path) -> Result<syn::File> {
    syn::parse_file(&tree::read(file)?).with_context(|| file.display().to_string())
}

/// True when the text contains the keyword `unsafe` outside comments and strings.
pub(crate) fn has_unsafe(text: &str) -> Result<bool> {
    let tokens: TokenStream = text.parse().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(holds_unsafe(tokens))
}

fn holds_unsafe(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "unsafe",
        TokenTree::Group(group) => holds_unsafe(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// True when the file starts with `#![forbid(unsafe_code)]` among its attributes.
pub(crate) fn forbids_unsafe(file: &syn::File) -> bool {
    file.attrs.iter().any(|attribute| {
        let argument = attribute.parse_args::<syn::Path>();
        attribute.path().is_ident("forbid") && argument.is_ok_and(|path| path.is_ident("unsafe_code"))
    })
}

/// One function: name, first line, number of lines from its signature to its closing brace.
#[derive(Debug, PartialEq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// Every function with a body, but those that state why they are long (`too_many_lines`).
pub(crate) fn functions(file: &syn::File) -> Vec<Function> {
    let mut found = Functions(Vec::new());
    found.visit_file(file);
    found.0
}

struct Functions(Vec<Function>);

impl Functions {
    fn add(&mut self, attributes: &[syn::Attribute], signature: &syn::Signature, body: &syn::Block) {
        let (line, end) = (signature.span().start().line, body.span().end().line);
        if !attributes.iter().any(excuses_length) {
            let lines = end.saturating_sub(line).saturating_add(1);
            self.0.push(Function { name: signature.ident.to_string(), line, lines });
        }
    }
}

fn excuses_length(attribute: &syn::Attribute) -> bool {
    let arguments = attribute.meta.require_list().map(|list| list.tokens.to_string());
    attribute.path().is_ident("expect") && arguments.is_ok_and(|text| text.contains("too_many_lines"))
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.attrs, &item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.attrs, &item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.attrs, &item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

/// Every path the file names outside its test modules, as `a::b::c` with its line.
pub(crate) fn paths(file: &syn::File) -> Vec<(usize, String)> {
    let mut found = Paths(Vec::new());
    found.visit_file(file);
    found.0
}

struct Paths(Vec<(usize, String)>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !item.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut flat = Vec::new();
        flatten(&item.tree, "", &mut flat);
        self.0.extend(flat.into_iter().map(|path| (item.span().start().line, path)));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.0.push((path.span().start().line, words.join("::")));
        visit::visit_path(self, path);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.0.push((item.span().start().line, item.ident.to_string()));
    }
}

fn is_for_tests(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
}

fn flatten(tree: &syn::UseTree, prefix: &str, flat: &mut Vec<String>) {
    match tree {
        syn::UseTree::Path(part) => flatten(&part.tree, &format!("{prefix}{}::", part.ident), flat),
        syn::UseTree::Name(part) => flat.push(format!("{prefix}{}", part.ident)),
        syn::UseTree::Rename(part) => flat.push(format!("{prefix}{}", part.ident)),
        syn::UseTree::Glob(_) => flat.push(prefix.trim_end_matches("::").to_owned()),
        syn::UseTree::Group(part) => part.items.iter().for_each(|item| flatten(item, prefix, flat)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_is_a_keyword_and_not_a_word() {
        assert!(has_unsafe("fn f() { unsafe { g() } }").unwrap());
        assert!(has_unsafe("#[unsafe(no_mangle)] fn f() {}").unwrap());
        assert!(!has_unsafe("#![forbid(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";").unwrap());
    }

    #[test]
    fn forbidding_is_seen_and_denying_is_not_enough() {
        assert!(forbids_unsafe(&syn::parse_str("#![forbid(unsafe_code)]").unwrap()));
        assert!(!forbids_unsafe(&syn::parse_str("#![deny(unsafe_code)]").unwrap()));
    }

    #[test]
    fn functions_are_counted_from_signature_to_brace() {
        let text = "impl A {\n#[inline]\nfn f() {\n\n}\n}\n\
                    #[expect(clippy::too_many_lines, reason = \"\")]\nfn g() {}";
        let found = functions(&syn::parse_str(text).unwrap());
        assert_eq!(found, [Function { name: "f".into(), line: 3, lines: 3 }]);
    }

    #[test]
    fn paths_are_flat_and_those_of_tests_are_left_out() {
        let text = "use std::{fs::{self, File}, io as i};\nfn f() { crate::plan::go() }\n\
                    #[cfg(test)] mod tests { use std::net; }";
        let found: Vec<String> =
            paths(&syn::parse_str(text).unwrap()).into_iter().map(|(_, path)| path).collect();
        assert!(found.contains(&"std::fs::File".to_owned()) && found.contains(&"std::io".to_owned()));
        assert!(found.contains(&"crate::plan::go".to_owned()));
        assert!(!found.iter().any(|path| path.contains("net")));
    }
}
