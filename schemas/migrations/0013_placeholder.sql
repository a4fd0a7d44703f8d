-- Placeholder, so that the numbers are consecutive: replaced by the migration of this number from another branch.
SELECT 1;
