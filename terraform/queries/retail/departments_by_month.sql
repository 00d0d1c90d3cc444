-- Departments by revenue, month by month: what each sells, and its place among them.
SELECT year(date) AS year,
       month(date) AS month,
       rank() OVER (PARTITION BY year(date), month(date) ORDER BY sum(revenue) DESC) AS place,
       department,
       sum(items) AS items,
       sum(revenue) AS revenue
FROM sales_by_day_and_department
GROUP BY year(date), month(date), department
ORDER BY year, month, place, department
