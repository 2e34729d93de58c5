"""A few lines of the exports of shop systems, with their own headers, and what must be found in them."""

SHOPS: dict[str, tuple[str, list[str], dict[str, str], int]] = {
    "Shopify": (
        "Name,Email,Financial Status,Paid at,Fulfillment Status,Accepts Marketing,Currency,Subtotal,Shipping,"
        "Taxes,Total,"
        "Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
        "Lineitem compare at price,Lineitem sku,Billing Name,Billing Country,Shipping Country,Phone,Vendor,Id",
        [
            "#1001,a@x.org,paid,2024-01-05 10:00:00 +0100,,,EUR,30.00,5.00,0,35.00,,0,,"
            "2024-01-05 10:00:00 +0100,2,Mug,10.00,,M,A,DE,DE,,V,91",
            "#1001,a@x.org,,,,,,,,,,,,,2024-01-05 10:00:00 +0100,1,Jug,10.00,,J,,,,,V,",
            "#1002,b@x.org,paid,2024-01-15 10:00:00 +0100,,,EUR,10.00,5.00,0,15.00,,0,,"
            "2024-01-15 10:00:00 +0100,1,Mug,10.00,,M,B,DE,DE,,V,92",
            "#1003,a@x.org,paid,2024-02-05 10:00:00 +0100,,,EUR,10.00,5.00,0,15.00,,0,,"
            "2024-02-05 10:00:00 +0100,1,Mug,10.00,,M,A,DE,DE,,V,93",
        ],
        {"customer": "Email", "date": "Created at", "order": "Name", "product": "Lineitem sku",
         "market": "Billing Country", "amount": '"Lineitem quantity" * "Lineitem price"',
         "quantity": "Lineitem quantity", "price": "Lineitem price"},
        5000,
    ),
    "WooCommerce orders": (
        "Order Number,Order Status,Order Date,Email (Billing),Country Code (Billing),Order Total Amount,SKU,Item #,"
        "Item Name,Quantity (- Refund),Item Cost",
        [
            "1,Completed,2024-01-05 10:00,a@x.org,DE,35.00,M,1,Mug,2,10.00",
            "1,Completed,2024-01-05 10:00,a@x.org,DE,35.00,J,2,Jug,1,10.00",
            "2,Completed,2024-01-15 10:00,b@x.org,DE,25.00,M,1,Mug,1,10.00",
            "2,Completed,2024-01-15 10:00,b@x.org,DE,25.00,J,2,Jug,1,10.00",
            "3,Completed,2024-02-15 10:00,a@x.org,DE,26.00,M,1,Mug,1,10.00",
            "3,Completed,2024-02-15 10:00,a@x.org,DE,26.00,J,2,Jug,1,11.00",
        ],
        {"customer": "Email (Billing)", "date": "Order Date", "order": "Order Number",
         "quantity": "Quantity (- Refund)",
         "amount": '"Quantity (- Refund)" * "Item Cost"', "price": "Item Cost"},
        7100,
    ),
    "WooCommerce analytics": (
        "Date,Order #,N. Revenue,Status,Customer,Customer type,Product(s),Items sold,Coupon(s)",
        ["2024-01-05 10:00:00,1,12.50,completed,Ann A,new,Mug,1,",
         "2024-01-15 10:00:00,2,7.00,completed,Ann A,returning,Mug,1,"],
        {"customer": "Customer", "date": "Date", "order": "Order #", "amount": "N. Revenue"},
        1950,
    ),
    "Magento grid": (
        "ID,Purchase Point,Purchase Date,Bill-to Name,Ship-to Name,Grand Total (Base),Grand Total (Purchased),"
        "Status,"
        "Customer Email,Customer Group,Subtotal,Shipping and Handling,Customer Name,Payment Method,Total Refunded",
        [
            '000000001,Main Website,"Jan 5, 2024, 1:00:00 PM",Ann A,Ann A,12.50,12.50,Complete,a@x.org,General,'
            '10,2.5,Ann A,check,',
            '000000002,Main Website,"Jan 15, 2024, 1:00:00 PM",Ann A,Ann A,7.00,7.00,Complete,a@x.org,General,5,'
            '2,Ann A,check,',
        ],
        {"customer": "Customer Email", "date": "Purchase Date", "order": "ID", "amount": "Grand Total (Purchased)"},
        1950,
    ),
    "Magento table": (
        "entity_id,state,status,store_name,customer_id,base_grand_total,grand_total,shipping_amount,tax_amount,"
        "increment_id,"
        "customer_email,created_at,updated_at",
        [
            "1,complete,complete,Main,7,12.50,12.50,2,1,000000001,a@x.org,2024-01-05 10:00:00,2024-03-05 10:00:00",
            "2,complete,complete,Main,7,7.00,7.00,2,1,000000002,a@x.org,2024-01-15 10:00:00,2024-03-05 10:00:00",
        ],
        {"customer": "customer_id", "date": "created_at", "order": "increment_id", "amount": "grand_total"},
        1950,
    ),
    "Stripe": (
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Description,Fee,"
        "Customer ID,"
        "Customer Email,Status,Taxes On Fee",
        [
            "ch_1,2024-01-05 10:00:00,12.50,0.00,eur,true,12.50,x,0.40,cus_1,a@x.org,Paid,0",
            "ch_2,2024-01-15 10:00:00,7.00,0.00,eur,true,7.00,x,0.40,cus_1,a@x.org,Paid,0",
        ],
        {"customer": "Customer ID", "date": "Created date (UTC)", "order": "id", "amount": "Amount"},
        1950,
    ),
    "Square": (
        "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Modifiers Applied,Gross Sales,Discounts,"
        "Net Sales,Tax,"
        "Transaction ID,Payment ID,Device Name,Event Type,Location,Customer ID,Customer Name",
        [
            "2024-01-05,10:00:00,CET,Food,Bun,2,Regular,B,,$13.00,-$0.50,$12.50,$1.00,t1,p1,till,Payment,Main,"
            "c1,Ann",
            "2024-01-15,10:00:00,CET,Food,Bun,1,Regular,B,,$7.00,$0.00,$7.00,$1.00,t2,p2,till,Payment,Main,c1,Ann",
            "2024-01-16,10:00:00,CET,Food,Bun,-1,Regular,B,,($7.00),$0.00,($7.00),$1.00,t3,p3,till,Refund,Main,"
            "c1,Ann",
        ],
        {"customer": "Customer ID", "date": "Date", "order": "Transaction ID", "amount": "Net Sales", "product": "SKU"},
        1250,
    ),
    "Amazon": (
        "amazon-order-id,merchant-order-id,purchase-date,last-updated-date,order-status,sales-channel,"
        "product-name,sku,asin,"
        "quantity,currency,item-price,item-tax,shipping-price,buyer-email",
        [
            "026-1,,2024-01-05T10:00:00+00:00,2024-02-05T10:00:00+00:00,Shipped,Amazon.de,Mug,M,B0,2,EUR,12.50,"
            "1,0,a@m.org",
            "026-2,,2024-01-15T10:00:00+00:00,2024-02-05T10:00:00+00:00,Shipped,Amazon.de,Mug,M,B0,1,EUR,7.00,1,"
            "0,a@m.org",
        ],
        {"customer": "buyer-email", "date": "purchase-date", "order": "amazon-order-id", "amount": "item-price"},
        1950,
    ),
    "PayPal": (
        "Date,Time,TimeZone,Name,Type,Status,Currency,Gross,Fee,Net,From Email Address,To Email Address,"
        "Transaction ID",
        [
            "05/01/2024,10:00:00,CET,Ann A,Website Payment,Completed,EUR,12.50,-0.50,12.00,a@x.org,me@x.org,T1",
            "15/01/2024,10:00:00,CET,Ann A,Website Payment,Completed,EUR,7.00,-0.50,6.50,a@x.org,me@x.org,T2",
        ],
        {"customer": "From Email Address", "date": "Date", "order": "Transaction ID", "amount": "Gross"},
        1950,
    ),
}  # fmt: skip
