//! Columns as the docker command sets them: as wide as their widest cell, some blanks between, and not narrower than some width.

use unicode_width::UnicodeWidthStr;

/// A table in the making.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    /// How narrow a column may be, the blanks among it.
    narrowest: usize,
    /// Blanks between columns.
    blanks: usize,
}

impl Table {
    /// A table with its head: three blanks between columns, ten at least.
    pub fn new(head: &[&str]) -> Self {
        Self::spaced(head, 10, 3)
    }

    /// A table with its head, the width that no column is narrower than, and the blanks between columns.
    pub fn spaced(head: &[&str], narrowest: usize, blanks: usize) -> Self {
        let mut table = Self { rows: vec![], narrowest, blanks };
        table.row(head);
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[&str]) {
        self.rows.push(cells.iter().map(|cell| (*cell).to_owned()).collect());
    }

    /// The table, one line a row, no blanks at the ends of lines.
    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widest = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
        let widths: Vec<usize> =
            (0..columns).map(|column| (widest(column).unwrap_or_default() + self.blanks).max(self.narrowest)).collect();
        let line = |row: &Vec<String>| {
            let cells =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
            format!("{}\n", cells.collect::<String>().trim_end())
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_on_the_screen() {
        let mut table = Table::new(&["A", "B"]);
        table.row(&["웹", "x"]);
        table.row(&["", "y"]);
        table.row(&["long enough", "z"]);
        assert_eq!(table.text(), "A             B\n웹            x\n              y\nlong enough   z\n");
        assert_eq!(Table::new(&["NAME", "PORTS"]).text(), "NAME      PORTS\n");
    }
}
