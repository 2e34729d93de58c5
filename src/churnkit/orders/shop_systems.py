"""The exports of common shop and payment systems: how each is recognised, and which of its columns is what."""

from dataclasses import dataclass
from typing import Final

from churnkit.orders.names import name_key


@dataclass(frozen=True, slots=True)
class ShopSystem:
    """The export of one shop or payment system: how it is recognised, and which of its columns are what.

    Args:
        name: What people call it.
        signature: Keys that are all present.
        roles: For each role the keys that may fill it, best first.
    """

    name: str
    signature: frozenset[str]
    roles: dict[str, tuple[str, ...]]


def _system(name: str, signature: str, **roles: str) -> ShopSystem:
    return ShopSystem(name, frozenset(signature.split()), {role: tuple(keys.split()) for role, keys in roles.items()})


SHOP_SYSTEMS: Final = (
    # The order total stands on the first line of an order only; the lines have a price each.
    _system(
        "Shopify", "name createdat lineitemquantity lineitemprice",
        customer="customerid email billingname phone", date="createdat", order="name", quantity="lineitemquantity",
        price="lineitemprice", product="lineitemsku lineitemname", market="billingcountry shippingcountry",
    ),
    _system(
        "WooCommerce", "ordernumber orderdate emailbilling",
        customer="emailbilling", date="orderdate", order="ordernumber", product="itemname sku",
        quantity="quantityrefund quantity", price="itemcost", market="countrycodebilling countrynamebilling",
        amount="orderlinesubtotal orderlinetotal itemtotal ordertotalamount",
    ),
    _system(
        "WooCommerce", "date order nrevenue",
        customer="customer", date="date", order="order", amount="nrevenue", product="products", quantity="itemssold",
    ),
    _system(
        "Magento", "purchasepoint purchasedate grandtotalpurchased",
        customer="customeremail customername billtoname", date="purchasedate", order="id",
        amount="grandtotalpurchased grandtotalbase", market="purchasepoint",
    ),
    _system(
        "Magento", "entityid incrementid createdat",
        customer="customerid customeremail", date="createdat", order="incrementid",
        amount="rowtotal grandtotal basegrandtotal", market="storename storeid", quantity="qtyordered",
    ),
    _system(
        "Stripe", "id createdutc amount", customer="customerid customeremail", date="createdutc", order="id",
        amount="amount",
    ),
    _system(
        "Stripe", "id createddateutc amount", customer="customerid customeremail", date="createddateutc", order="id",
        amount="amount",
    ),
    _system(
        "Square", "transactionid grosssales netsales date",
        customer="customerid customerreferenceid customername", date="date", order="transactionid", amount="netsales",
        product="sku item", quantity="qty", market="location",
    ),
    # `item-price` is the price of the whole line at Amazon, not of one unit.
    _system(
        "Amazon", "amazonorderid purchasedate itemprice",
        customer="buyeremail buyername", date="purchasedate", order="amazonorderid", amount="itemprice",
        product="sku asin productname", quantity="quantity quantitypurchased", market="saleschannel shipcountry",
    ),
    _system(
        "Amazon", "orderid orderitemid purchasedate itemprice",
        customer="buyeremail buyername", date="purchasedate", order="orderid", amount="itemprice",
        product="sku productname", quantity="quantitypurchased quantity", market="saleschannel shipcountry",
    ),
    _system(
        "PayPal", "fromemailaddress gross transactionid date",
        customer="fromemailaddress", date="date", order="transactionid", amount="gross", market="countrycode",
    ),
)  # fmt: skip


def shop_system(names: list[str]) -> ShopSystem | None:
    """The system whose export has these column names, if it is a known one.

    Example:
        >>> shop_system(["Name", "Email", "Created at", "Lineitem quantity", "Lineitem price", "Total"]).name
        'Shopify'
    """
    keys = {name_key(name) for name in names}
    return next((system for system in SHOP_SYSTEMS if system.signature <= keys), None)
