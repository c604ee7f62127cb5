//! What the codes of findings mean: the pages of `docs/codes.md`.

use super::table::Table;
use crate::finding::Code;

/// The reference, a section for each code.
const PAGES: &str = include_str!("../../docs/codes.md");

/// The page of a code, without its heading. Lines end as the document's do.
pub fn page(code: Code) -> &'static str {
    let heading = format!("\n## {}\n", code.text());
    let Some((_, rest)) = PAGES.split_once(&heading) else { return code.about() };
    let end = rest.find("\n#").unwrap_or(rest.len());
    rest[..end].trim()
}

/// Every code with the sentence that says what it means.
pub fn list() -> String {
    let mut table = Table::new(&["CODE", "MEANING"]);
    Code::ALL.iter().for_each(|code| table.row(&[code.text(), code.about()]));
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_page_and_every_page_its_code() {
        let headings: Vec<&str> = PAGES.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.text()).collect();
        assert_eq!(headings, codes, "docs/codes.md has the codes in the order of the table");
        for code in Code::ALL {
            let page = page(*code);
            assert!(page.starts_with(code.about()), "{code}: its page begins with the sentence of the table");
            assert!(page.len() > code.about().len() + 80, "{code}: its page says no more than the sentence");
            assert!(!page.contains("\n#"), "{code}");
        }
    }
}
