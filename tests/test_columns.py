from pathlib import Path

import polars as pl
import pytest

from churnkit.errors import DataError, MissingColumnError, UsageError
from churnkit.orders.clean import clean_orders
from churnkit.orders.columns import find_columns
from churnkit.orders.lines import RawLines
from churnkit.orders.names import name_score
from raw_lines import as_text, text_lines
from shop_exports import SHOPS

ROWS = [("k1", "2024-01-05", "o1", "12.50"), ("k2", "2024-01-13", "o2", "7.00"), ("k1", "2024-02-05", "o3", "5.25")]


def found(header: str, *rows: str, **given: str | None) -> dict[str, str]:
    return find_columns(text_lines("\n".join([header, *rows]) + "\n"), given).names()


@pytest.mark.parametrize(
    "header",
    [
        "customer_id,order_date,order_id,amount",
        "Customer ID,Order Date,Order ID,Sales",
        "custNo,invoiceDate,invoiceNo,lineTotal",
        "CUSTOMER-NUMBER,PURCHASE.DATE,RECEIPT NO,NET_AMOUNT",
        "Kundennummer,Bestelldatum,Bestellnummer,Umsatz",
        "Kunden-Nr.,Rechnungsdatum,Rechnungsnummer,Betrag",
        "Numéro client,Date de commande,N° commande,Montant",
        "ID cliente,Fecha de pedido,Número pedido,Importe",
        "Codice cliente,Data ordine,Numero ordine,Importo",
        "Código cliente,Data do pedido,ID pedido,Valor",
        "Klantnummer,Besteldatum,Bestelnummer,Bedrag",
        "Numer klienta,Data zamówienia,Numer zamówienia,Kwota",
        "Kundnummer,Köpdatum,Ordernummer,Belopp",
        "Kundenummer,Købsdato,Ordrenummer,Beløb",
        "Kundenummer,Ordredato,Bestillingsnummer,Sum",
        "Asiakasnumero,Tilauspäivä,Tilausnumero,Summa",
    ],
)
def test_columns_are_found_by_name_in_many_languages(header: str) -> None:
    customer, date, order, amount = header.split(",")
    names = found(header, *[",".join(row) for row in ROWS])
    assert {role: names.get(role) for role in ("customer", "date", "order")} == {
        "customer": customer, "date": date, "order": order
    }  # fmt: skip
    assert names.get("amount") == (amount if amount != "Sum" else None)


@pytest.mark.parametrize("shop", SHOPS)
def test_the_exports_of_shop_systems_are_read_without_options(shop: str) -> None:
    header, rows, roles, cents = SHOPS[shop]
    _, report = clean_orders(text_lines("\n".join([header, *rows]) + "\n"))
    assert report.columns | roles == report.columns
    assert report.revenue_cents == cents
    assert report.lines_kept == len(rows)


def test_every_guess_says_which_flag_overrides_it() -> None:
    lines = text_lines("customer,email,date,amount\na,x@y,2024-01-05,5\na,x@y,2024-01-13,6\n")
    for each in find_columns(lines).found:
        assert f"(--{each.role})" in each.sentence
    assert "next best was email" in find_columns(lines)["customer"].sentence


def test_a_column_that_is_named_goes_before_every_guess() -> None:
    names = found("customer,email,date,amount", "a,x,2024-01-05,5", "b,x,2024-01-13,6", customer="email")
    assert names["customer"] == "email"


def test_a_missing_column_is_refused_with_the_name_that_was_meant() -> None:
    with pytest.raises(MissingColumnError) as caught:
        found("customer_id,order_date,amount", "a,2024-01-05,5", customer="customer_idd")
    assert "customer_idd" in str(caught.value)
    assert "did you mean 'customer_id'?" in caught.value.hint
    with pytest.raises(UsageError, match="role"):
        found("customer_id,order_date", "a,2024-01-05", colour="customer_id")


def test_an_id_of_its_own_on_each_line_is_not_the_customer() -> None:
    rows = [f"{n},k{n % 7},2024-01-{1 + n % 28:02d},5" for n in range(40)]
    assert found("id,client,date,amount", *rows)["customer"] == "client"
    with pytest.raises(MissingColumnError, match="no customer column"):
        found("id,date,amount", *[f"{n},2024-01-{1 + n % 28:02d},5" for n in range(40)])


def test_a_product_is_not_taken_for_the_customer() -> None:
    rows = [f"o{n},sku{n % 12},2024-01-{1 + n % 28:02d},5" for n in range(60)]
    with pytest.raises(MissingColumnError, match="no customer column"):
        found("order_id,sku,date,amount", *rows)


def test_the_customer_behind_an_id_made_for_each_order_is_preferred() -> None:
    names = found("customer_id,customer_unique_id,date", "c1,u1,2024-01-05", "c2,u1,2024-01-15")
    assert names["customer"] == "customer_unique_id"


def test_dates_of_other_things_are_not_the_date_of_the_order() -> None:
    header = "Ship Date,birthdate,updated_at,Order Date,customer"
    row = "2024-01-09,1980-01-01,2024-05-05,2024-01-05,a"
    assert found(header, row)["date"] == "Order Date"


def test_a_date_column_that_holds_no_dates_is_refused_with_an_example() -> None:
    with pytest.raises(MissingColumnError, match="order_date is called one, but holds values such as 'soon'"):
        found("customer_id,order_date,amount", "A,yesterday,5", "B,soon,6")


def test_tax_shipping_and_discounts_are_not_the_amount() -> None:
    header = "customer,date,tax_amount,shipping_amount,discount,amount_refunded,unit_price"
    names = found(header, "a,2024-01-05,1,2,3,4,5")
    assert "amount" not in names


def test_columns_are_named_by_number_from_one() -> None:
    lines = text_lines("k1,2024-01-05,5.50\nk2,2024-01-13,6.00\n", header=False)
    names = find_columns(lines, {"customer": "1", "date": "2", "amount": "3"}).names()
    assert names == {"customer": "1", "date": "2", "amount": "3"}
    assert found("x,y,2024", "a,2024-01-05,5", customer="1", date="2", amount="3")["amount"] == "2024"


def test_a_file_without_header_is_guessed_from_its_content_or_refused() -> None:
    rows = "".join(f"{1000 + n % 30},2024-01-{13 + n % 9:02d},item {n % 11},{n / 4:.2f}\n" for n in range(120))
    columns = find_columns(text_lines(rows, header=False))
    assert columns.names() == {"customer": "1", "date": "2", "amount": "4", "product": "3"}
    assert all("column " in each.sentence for each in columns.found)
    with pytest.raises(MissingColumnError) as caught:
        find_columns(text_lines("5.5,6.5\n7.5,8.5\n", header=False))
    assert "--customer 1 --date 2" in caught.value.hint


def test_order_ids_in_a_file_without_header_are_not_taken_for_customers() -> None:
    rows = "".join(f"{5000 + n // 2},{100 + (n // 2) % 20},2024-01-{1 + (n // 6) % 28:02d},{n}.5\n" for n in range(160))
    columns = find_columns(text_lines(rows, header=False)).names()
    assert (columns["customer"], columns["order"]) == ("2", "1")


def test_an_expression_names_columns_with_and_without_blanks() -> None:
    lines = text_lines('k,"Unit Price",Qty,when\na,2.50,3,2024-01-05\na,1.00,1,2024-01-13\n')
    given = {"customer": "k", "amount": '"Unit Price" * (Qty + 1) - 0.5'}
    _, report = clean_orders(lines, columns=given)
    assert report.revenue_cents == 950 + 150
    assert report.columns["amount"] == '"Unit Price" * (Qty + 1) - 0.5'


@pytest.mark.parametrize(
    "text", ["Qty *", "Qty; drop", "read_csv('x')", "Qty ** 2 ** ", "(Qty", "1 + 2", "Qty * " + "(" * 99]
)
def test_an_expression_is_arithmetic_and_nothing_else(text: str) -> None:
    with pytest.raises((UsageError, MissingColumnError)):
        found("customer,date,Qty", "a,2024-01-05,5", amount=text)


def test_an_unknown_column_in_an_expression_is_refused() -> None:
    with pytest.raises(MissingColumnError, match="Quantty"):
        found("customer,date,Quantity", "a,2024-01-05,5", amount="Quantty * 2")


def test_a_total_repeated_on_each_line_is_not_added_up_line_by_line() -> None:
    rows = [f"o{n},k{n % 5},2024-01-{13 + n % 9},{n + 20},s{line}" for n in range(12) for line in range(1 + n % 3)]
    lines = text_lines("\n".join(["order_id,customer,date,order_total,sku", *rows]))
    for given in (None, {"amount": "order_total"}):
        _, report = clean_orders(lines, columns=given)
        assert report.revenue_cents == 100 * sum(n + 20 for n in range(12))
        assert any("once per order" in note for note in report.notes)


def test_a_doubled_file_is_not_taken_for_repeated_totals() -> None:
    rows = [f"o{n},k{n % 5},2024-01-{13 + n % 9},{n + 20}" for n in range(12)]
    _, report = clean_orders(text_lines("\n".join(["order_id,customer,date,order_total", *rows, *rows])))
    assert report.revenue_cents == 2 * 100 * sum(n + 20 for n in range(12))


def test_a_total_on_the_first_line_of_an_order_only_leaves_no_line_without_amount() -> None:
    text = "order,customer,date,total,sku\n" + "".join(
        f"o{n},k1,2024-01-1{n},{n + 5},a\no{n},,,,b\n" for n in range(3, 9)
    )
    _, report = clean_orders(text_lines(text))
    assert (report.revenue_cents, report.lines_kept, report.dropped) == (100 * sum(range(8, 14)), 12, ())


def test_an_amount_equal_to_the_price_of_one_unit_is_multiplied() -> None:
    _, report = clean_orders(text_lines("customer,date,amount,qty,price\na,2024-01-13,5,2,5\na,2024-01-14,6,3,6\n"))
    assert (report.columns["amount"], report.revenue_cents) == ("qty * price", 2800)


def test_a_line_total_goes_before_quantity_times_price() -> None:
    _, report = clean_orders(
        text_lines("customer,date,line_total,qty,price\na,2024-01-13,9,2,5\na,2024-01-14,17,3,6\n")
    )
    assert (report.columns["amount"], report.revenue_cents) == ("line_total", 2600)


def test_an_empty_file_and_one_with_a_header_only_are_refused() -> None:
    with pytest.raises(DataError, match="no lines"):
        found("customer,date,amount")
    with pytest.raises(DataError, match="empty"):
        find_columns(RawLines.from_frame(pl.DataFrame()))


def test_telco_and_hillstrom_are_refused_because_they_hold_no_orders(real_data: Path) -> None:
    for file, word in (("Telco-Customer-Churn.csv", "each customerID stands on one line"), ("Hillstrom.csv", "dates")):
        lines = as_text(pl.read_csv(real_data / file, infer_schema=False))
        with pytest.raises(MissingColumnError, match=f"holds no orders.*{word}"):
            clean_orders(lines)


def test_names_are_told_from_their_look_alikes() -> None:
    assert name_score("customer", "customer_id") > name_score("customer", "email") > name_score("customer", "id") > 0
    assert (
        name_score("date", "Birth Date") == name_score("amount", "tax amount") == name_score("order", "order date") == 0
    )


def test_a_class_of_customers_is_not_taken_for_the_customer() -> None:
    rows = [f"{n % 12},{n},2024-01-{1 + n % 28:02d}" for n in range(2000)]
    with pytest.raises(MissingColumnError, match="no customer column"):
        found("recency,serial,date", *rows)


def test_a_date_that_is_named_may_be_written_in_a_way_that_is_not_known() -> None:
    lines = text_lines("customer,week\na,2024-W02-6\na,2024-W03-6\n")
    orders, _ = clean_orders(lines, columns={"date": "week"}, date_format="%G-W%V-%u")
    assert [str(day) for day in orders["ordered_at"].dt.date()] == ["2024-01-13", "2024-01-20"]
    lines = text_lines("customer,order_date\na,2024-W02-6\na,2024-W03-6\n")
    assert find_columns(lines, date_format="%G-W%V-%u").names()["date"] == "order_date"


def test_seconds_since_1970_are_dates_where_the_name_says_so() -> None:
    lines = text_lines("customer,created_at,points\na,1705104000,1705104000\na,1705190400,1705104000\n")
    orders, report = clean_orders(lines)
    assert report.columns["date"] == "created_at"
    assert orders["ordered_at"].dt.date().cast(pl.String).to_list() == ["2024-01-13", "2024-01-14"]


def test_what_may_be_an_amount_in_a_file_without_header_is_pointed_out() -> None:
    rows = "".join(f"k{n % 30},2024-01-{13 + n % 9:02d},{n / 4:.2f},{n / 8:.3f}\n" for n in range(120))
    columns = find_columns(text_lines(rows, header=False))
    assert "amount" not in columns.names()
    assert "3, 4? (--amount)" in columns.notes[0]


@pytest.mark.parametrize("shop", SHOPS)
def test_what_was_found_can_be_given_back_and_finds_the_same(shop: str) -> None:
    header, rows, _, cents = SHOPS[shop]
    lines = text_lines("\n".join([header, *rows]) + "\n")
    orders, report = clean_orders(lines)
    again, given_report = clean_orders(lines, columns=report.columns)
    assert given_report.columns == report.columns
    assert given_report.revenue_cents == cents
    assert again.equals(orders)
